"""What Squawk is silent on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from bluegreen.migrations.lint.made_here import MadeHere
from bluegreen.migrations.lint.own_rule import NAME, QUALIFIED, OwnRule, own
from bluegreen.migrations.lint.quiet_rules import QUIET_RULES
from bluegreen.migrations.lint.rule import LATER, Ground, Rule, Weight
from bluegreen.migrations.statements import Statement
from bluegreen.model.migration import Phase

_CREATES = r"CREATE (?:(?:GLOBAL |LOCAL )?TEMP(?:ORARY)? |UNLOGGED )?(?:TABLE|MATERIALIZED VIEW) "
_IS_NEW = re.compile(rf"{_CREATES}(?!IF NOT EXISTS ){QUALIFIED}")
_NAMES = re.compile(rf"{NAME}(?: \. {NAME})*+")
_MAY_END = re.compile(r"^DROP\b| (?:RENAME TO|SET SCHEMA) ")
MAY_EXIST = re.compile(rf"{_CREATES}IF NOT EXISTS {QUALIFIED}")
"""The beginning of a statement that creates a table, unless there is one."""


_UNBATCHED = Rule(
    "unbatched-write",
    Ground.LOCKS,
    "It may change any number of rows at once, and nobody else can write them until it is over.",
    "Write a backfill: it does the same in batches, which can be slowed down and resumed. A statement for "
    "a few rows may say -- squawk-ignore unbatched-write",
)
_LOCK_TABLE = Rule(
    "lock-table", Ground.LOCKS, "It keeps everybody off the table until the file is over.", "Leave it out."
)
_TRUNCATE = Rule(
    "truncate",
    Ground.BREAKS,
    "The running version loses its rows, and nobody can use the table until the file is over.",
    LATER,
    contract=Weight.TOLD,
)
_REFRESH = Rule(
    "refresh-not-concurrent",
    Ground.LOCKS,
    "Nobody can read the view while it is computed.",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY.",
)
_REWRITE = Rule(
    "table-rewrite",
    Ground.LOCKS,
    "The whole table is written anew while nobody can use it.",
    "Have it done when there is no load, or with pg_repack.",
)
_COUNTED_COLUMN = Rule(
    "adding-counted-column",
    Ground.LOCKS,
    "Every row is given a number, so the table is rewritten while nobody can use it.",
    "Add a bigint column, SET DEFAULT nextval(...) of a sequence next, and backfill the old rows.",
)
_REINDEX = Rule(
    "reindex-not-concurrent",
    Ground.LOCKS,
    "Nobody can write to the table, nor use the index, while it is built.",
    "REINDEX INDEX CONCURRENTLY, in a file of its own.",
)
_CHECKED_COLUMN = Rule(
    "adding-checked-column",
    Ground.BREAKS,
    "All rows are checked while nobody can use the table, and the running version's rows from now on.",
    "In the same statement, ADD CONSTRAINT ... CHECK (...) NOT VALID; validate it in a later number.",
)
_HIDDEN = Rule(
    "hidden-code",
    Ground.HIDDEN,
    "What it does is known only when it is run.",
    "Write the statements themselves into the file; or look through it and say -- squawk-ignore hidden-code",
)
_QUERY = Rule(
    "query",
    Ground.HIDDEN,
    "Its rows go nowhere, and a function that it calls may change anything.",
    "Leave it out if it is not there for what the function does.",
    Weight.TOLD,
    Weight.TOLD,
)
_SETTING = Rule(
    "session-setting",
    Ground.FORM,
    "It would change the session that keeps the ledger and its timeouts.",
    "SET LOCAL holds to the end of the file; timeouts stand in the service file; roles in its url.",
)
_RULE = Rule(
    "rewrite-rule",
    Ground.BREAKS,
    "What the running version reads and writes is turned into something else.",
    "Use a trigger, or a view with a name of its own.",
    contract=Weight.TOLD,
)
_TRIGGER = Rule(
    "new-trigger",
    Ground.BREAKS,
    "The running version's writes go through it from now on: where it fails, they fail.",
    "Test it with the running version's writes.",
    Weight.TOLD,
    Weight.TOLD,
)
_DROP = Rule(
    "drop-other",
    Ground.BREAKS,
    "The running version may still use it.",
    LATER,
    contract=Weight.PASSED,
)
_ATTACH = Rule(
    "attach-partition",
    Ground.LOCKS,
    "All rows of the new partition are read under a lock, unless a valid CHECK says what they are.",
    "Add the CHECK of the partition's bounds NOT VALID, and validate it, before.",
    Weight.TOLD,
    Weight.TOLD,
)
_CHECKED_DOMAIN = Rule(
    "checking-domain",
    Ground.LOCKS,
    "All tables with a column of this domain are checked while nobody can write to them.",
    "Use a CHECK constraint of the table, NOT VALID at first.",
)
_ENFORCED = Rule(
    "enforcing-constraint",
    Ground.LOCKS,
    "All rows are checked while nobody can use the table.",
    "ADD CONSTRAINT ... NOT VALID under another name, and VALIDATE CONSTRAINT in the file of a later number.",
)
_KEY = Rule(
    "key-using-index",
    Ground.LOCKS,
    "Unless its columns are NOT NULL already, all rows are read while nobody can use the table.",
    "SET NOT NULL before, which takes three steps of its own: see adding-not-nullable-field.",
    Weight.TOLD,
    Weight.TOLD,
)
_LEDGER = Rule(
    "ledger-schema",
    Ground.FORM,
    "The schema bluegreen is the ledger's own.",
    "Use another schema.",
)

_WRITES = r"(?:UPDATE|DELETE FROM|MERGE INTO|INSERT INTO)"
_ALTERS_TABLE = rf"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?{QUALIFIED}"
_ADDS_COLUMN = (
    rf"{_ALTERS_TABLE} (?:.* , )?ADD (?:COLUMN )?(?:IF NOT EXISTS )?"
    rf"(?!(?:CONSTRAINT|CHECK) ){NAME} "
)
_OURS = r'(?:BLUEGREEN|"bluegreen")'
_TIMEOUTS = r"\w*_TIMEOUT|ROLE|SESSION AUTHORIZATION|SESSION_REPLICATION_ROLE"
_OTHER_KINDS = (
    r"SUBSCRIPTION|EVENT TRIGGER|TEXT SEARCH|STATISTICS|(?:PROCEDURAL )?LANGUAGE|SERVER|TRANSFORM"
    r"|ACCESS METHOD|FOREIGN DATA WRAPPER|USER MAPPING|CONVERSION|COLLATION|TABLESPACE|GROUP"
)

OWN_RULES: tuple[OwnRule, ...] = (
    *own(
        _UNBATCHED,
        rf"(?:UPDATE|DELETE FROM|MERGE INTO) (?:ONLY )?{QUALIFIED}",
        rf"INSERT INTO {QUALIFIED} (?=.*\b(?:SELECT|TABLE)\b)",
        rf"COPY {QUALIFIED} .*\bFROM\b",
        rf"(?:\( )*(?:WITH|EXPLAIN) .*\b{_WRITES}\b",
        rf"CREATE (?:\w+ )*TABLE .*\bAS (?:\( )*WITH .*\b{_WRITES}\b",
    ),
    *own(_LOCK_TABLE, rf"LOCK (?:TABLE )?(?:ONLY )?{QUALIFIED}", r"LOCK .* , "),
    *own(_TRUNCATE, rf"TRUNCATE (?:TABLE )?(?:ONLY )?{QUALIFIED}", r"TRUNCATE .* , "),
    *own(_REFRESH, rf"REFRESH MATERIALIZED VIEW (?!CONCURRENTLY ){QUALIFIED}"),
    *own(
        _REWRITE,
        r"VACUUM .*\bFULL\b",
        r"CLUSTER\b",
        rf"ALTER (?:TABLE|MATERIALIZED VIEW|INDEX) (?:IF EXISTS )?(?:ONLY )?{QUALIFIED}"
        r" (?:.* , )?SET (?:TABLESPACE|LOGGED|UNLOGGED|ACCESS METHOD)\b",
        r"ALTER (?:TABLE|MATERIALIZED VIEW|INDEX) ALL IN TABLESPACE\b",
    ),
    *own(
        _COUNTED_COLUMN,
        rf"{_ADDS_COLUMN}(?:(?:BIG|SMALL)?SERIAL[248]?\b|[^,]*\bAS IDENTITY\b)",
    ),
    *own(_CHECKED_COLUMN, rf"{_ADDS_COLUMN}(?:(?!, (?:ADD|ALTER|DROP)\b).)*?\bCHECK \("),
    *own(_REINDEX, r"REINDEX \([^)]*\bCONCURRENTLY (?:FALSE|OFF|0|'')"),
    *own(_HIDDEN, r"(?:DO|CALL|EXECUTE)\b", r"COPY .* (?:FROM|TO) PROGRAM\b"),
    *own(_QUERY, r"(?:\( )*(?:SELECT|VALUES|TABLE|EXPLAIN)\b", rf"(?:\( )*WITH (?!.*\b{_WRITES}\b)"),
    *own(
        _SETTING,
        r"SET (?!LOCAL |CONSTRAINTS |TRANSACTION |SESSION CHARACTERISTICS )",
        rf'SET LOCAL "?(?i:{_TIMEOUTS})\b',
        r"(?:RESET|DISCARD)\b",
    ),
    *own(
        _RULE,
        r"CREATE (?:OR REPLACE )?RULE\b",
        r"ALTER TABLE .* (?:ENABLE|DISABLE)(?: REPLICA| ALWAYS)? RULE\b",
    ),
    *own(
        _TRIGGER,
        rf"CREATE (?:OR REPLACE )?(?:CONSTRAINT )?TRIGGER .* ON {QUALIFIED}",
        r"CREATE EVENT TRIGGER\b",
    ),
    *own(_DROP, rf"DROP (?:{_OTHER_KINDS})\b"),
    *own(_ATTACH, rf"ALTER TABLE .* ATTACH PARTITION {QUALIFIED}"),
    *own(_CHECKED_DOMAIN, rf"ALTER DOMAIN {QUALIFIED} (?:SET NOT NULL|VALIDATE)\b"),
    *own(
        _ENFORCED,
        rf"{_ALTERS_TABLE} (?:.* , )?ALTER CONSTRAINT {NAME} (?:(?!, |NOT ENFORCED\b).)*\bENFORCED\b",
    ),
    *own(_KEY, rf"{_ALTERS_TABLE} (?:.* , )?ADD (?:CONSTRAINT {NAME} )?PRIMARY KEY USING INDEX "),
    *QUIET_RULES,
    *own(
        _LEDGER,
        rf"(?:.* )?{_OURS} \. ",
        rf"(?=.* (?:SCHEMA|SEARCH_PATH) ).* {_OURS}(?: |$)",
    ),
)

_OF_BACKFILLS = tuple(each for each in OWN_RULES if each.rule is _LEDGER)


def own_findings(
    statements: Iterable[Statement], phase: Phase, made: MadeHere
) -> Iterator[tuple[Rule, Statement]]:
    """What the statements of one file do that they had better not. To a backfill, which keeps to its batch,
    only the rule on the ledger applies."""
    rules = OWN_RULES if phase is not Phase.BACKFILL else _OF_BACKFILLS
    created: set[str] = set()
    for statement in statements:
        against = {each.rule: None for each in rules if _is_against(each, statement, created)}
        is_free = made.is_about(statement)
        yield from ((rule, statement) for rule in against if not (is_free and rule.spares_new))
        if _MAY_END.search(statement.skeleton):
            created.difference_update(_NAMES.findall(statement.skeleton))
        if new := created_table(statement):
            created.add(new)


def _is_against(rule: OwnRule, statement: Statement, created: set[str]) -> bool:
    found = rule.pattern.match(statement.skeleton)
    return found is not None and found.groupdict().get("table") not in created


def created_table(statement: Statement) -> str | None:
    """The table or materialized view that it creates, as its skeleton writes it. One that may have been
    there before is none."""
    found = _IS_NEW.match(statement.skeleton)
    return found["table"] if found else None
