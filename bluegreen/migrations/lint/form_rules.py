"""What a directory, a file and a statement have to be, so that they can be run at all.

Most of it is found where files are read, and the texts that are shown stand there; these tell of the rules.
"""

from __future__ import annotations

from bluegreen.migrations.lint.rule import Ground, Rule, Weight

CONTRACT_ALONE = Rule(
    "contract-without-expand",
    Ground.ADVICE,
    "Nothing of this number adds what takes the place of what is taken away.",
    "Give the contract the number and name of the change that it ends, if there is one.",
    Weight.PASSED,
    Weight.TOLD,
)
SYNTAX_ERROR = Rule(
    "syntax-error",
    Ground.HIDDEN,
    "It does not parse.",
    "If PostgreSQL takes it nevertheless, say so: -- squawk-ignore syntax-error",
)
UNUSED_IGNORE = Rule(
    "unused-ignore",
    Ground.ADVICE,
    "The comment makes no difference.",
    "Take it out.",
    Weight.TOLD,
    Weight.TOLD,
)
LINT_FAILED = Rule("lint-failed", Ground.FORM, "Squawk could not look at the file.", "Make the file smaller.")


def _form(name: str, reason: str, safe_way: str) -> Rule:
    return Rule(name, Ground.FORM, reason, safe_way)


FORM_RULES: tuple[Rule, ...] = (
    _form(
        "file-name",
        "A file that ends in .sql does not have the name of a migration.",
        "Call it as 0002_split_name.expand.sql.",
    ),
    _form("number-taken", "Two changes have the same number.", "Give the later change the next number."),
    _form("unreadable-file", "It is not a regular file, or cannot be read.", "Put the file itself there."),
    _form("file-too-large", "It has more than 1 MiB.", "Data does not belong into it."),
    _form("not-utf-8", "It is not UTF-8, has a NUL in it, or a byte order mark.", "Save it as UTF-8."),
    _form("empty-file", "There is no statement in it.", "Delete it."),
    SYNTAX_ERROR,
    _form(
        "transaction-control",
        "A file is one transaction, which also holds its entry in the ledger.",
        "Leave the statement out.",
    ),
    _form("psql-command", "The server does not know psql's commands.", "Write it in SQL."),
    _form(
        "not-in-transaction",
        "A statement that PostgreSQL does not run in a transaction stands beside others.",
        "Put it into a file of its own, with a number of its own.",
    ),
    _form(
        "backfill-header",
        "A backfill does not say whose rows it goes through, in which order.",
        "Begin it with the comment -- bluegreen: table=people key=id",
    ),
    _form(
        "backfill-one-statement", "A backfill is one UPDATE, INSERT or DELETE.", "Give each its own number."
    ),
    _form(
        "backfill-batch",
        "A backfill does not keep to a batch.",
        "WHERE id > :after AND id <= :upto",
    ),
    CONTRACT_ALONE,
    UNUSED_IGNORE,
    LINT_FAILED,
)
