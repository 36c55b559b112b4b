"""What changes for the running version although its tables stay as they are. Squawk is silent on it."""

from __future__ import annotations

from bluegreen.migrations.lint.own_rule import NAME, QUALIFIED, OwnRule, own
from bluegreen.migrations.lint.rule import LATER, Ground, Rule, Weight

_PUBLISHED = Rule(
    "publish-tables",
    Ground.BREAKS,
    "Updates and deletes of a table that has neither a primary key nor another REPLICA IDENTITY fail from "
    "now on.",
    "See to it that each of the tables has a primary key.",
    Weight.TOLD,
    Weight.TOLD,
)
_ALL_PUBLISHED = Rule(
    "publish-all-tables",
    Ground.BREAKS,
    "Updates and deletes of every table that has neither a primary key nor another REPLICA IDENTITY fail "
    "from now on.",
    "Name the tables, and see to it that each of them has a primary key.",
)
_IMPLICIT_CAST = Rule(
    "implicit-cast",
    Ground.BREAKS,
    "Expressions of the running version may become ambiguous, or come to something else.",
    "Leave AS IMPLICIT out, and let the new version write the cast.",
    contract=Weight.TOLD,
)
_OPERATOR = Rule(
    "new-operator",
    Ground.BREAKS,
    "Where it fits better, expressions of the running version come to what it says.",
    "Make it for types that are new, or give it a name of its own.",
    Weight.TOLD,
    Weight.TOLD,
)
_RESTRICTIVE = Rule(
    "restrictive-policy",
    Ground.BREAKS,
    "Where row level security is on, the running version may no longer see or write its rows.",
    LATER,
    contract=Weight.TOLD,
)
_ALTERED = Rule(
    "alter-other",
    Ground.BREAKS,
    "The running version uses what is changed at once.",
    "Make another one beside it, under a name of its own; drop the old one in contract.",
    contract=Weight.TOLD,
)
_INHERITS = Rule(
    "inherit",
    Ground.BREAKS,
    "What the running version reads of the parent has these rows, too.",
    "See to it that it can read them.",
    Weight.TOLD,
    Weight.TOLD,
)

_KINDS = r"SUBSCRIPTION|SERVER|USER MAPPING|FOREIGN DATA WRAPPER|EVENT TRIGGER|TEXT SEARCH \w+"

QUIET_RULES: tuple[OwnRule, ...] = (
    *own(_PUBLISHED, rf"(?:CREATE PUBLICATION {NAME} FOR|ALTER PUBLICATION {NAME} ADD) TABLE "),
    *own(
        _ALL_PUBLISHED,
        rf"CREATE PUBLICATION {NAME} FOR (?:ALL TABLES|.*\bTABLES IN SCHEMA)\b",
        rf"ALTER PUBLICATION {NAME} (?:ADD|SET) .*\bTABLES IN SCHEMA\b",
    ),
    *own(_IMPLICIT_CAST, r"CREATE CAST .* AS IMPLICIT$"),
    *own(_OPERATOR, r"CREATE OPERATOR (?!(?:CLASS|FAMILY) )", r"CREATE CAST (?!.* AS IMPLICIT$)"),
    *own(_RESTRICTIVE, rf"CREATE POLICY {NAME} ON {QUALIFIED} AS RESTRICTIVE\b"),
    *own(
        _ALTERED,
        rf"ALTER (?:{_KINDS}) (?!.* (?:OWNER|RENAME) TO {NAME}$)",
        rf"ALTER FOREIGN TABLE (?:IF EXISTS )?(?:ONLY )?{QUALIFIED} (?:.* )?OPTIONS \(",
        rf"ALTER TYPE {QUALIFIED} SET \(",
    ),
    *own(_INHERITS, rf"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?{QUALIFIED} (?:.* , )?INHERIT "),
)
