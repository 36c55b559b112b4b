"""What the runner relies on in any file of migrations, whatever the statements in it do. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from bluegreen.migrations.backfill_form import problems_of_backfill
from bluegreen.migrations.problem import Problem
from bluegreen.migrations.statements import Statement
from bluegreen.migrations.token import Kind
from bluegreen.model.migration import Phase

_TRANSACTION_CONTROL = frozenset(
    {"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "PREPARE"}
)


def problems_of_form(statements: tuple[Statement, ...], phase: Phase) -> Iterator[Problem]:
    """Why the file cannot be run as one thing that is either done or not."""
    if not statements:
        yield Problem("empty-file", "There is no statement in it.", "Delete it, or write what it is for.")
    if phase is Phase.BACKFILL:
        yield from problems_of_backfill(statements)
    for statement in statements:
        yield from _problems_of_statement(statement)
        if statement.runs_alone and (len(statements) > 1 or phase is Phase.BACKFILL):
            yield Problem(
                "not-in-transaction",
                "PostgreSQL does not run this statement in a transaction, as a whole file is.",
                "Put it into a file of its own, with a number of its own.",
                statement.offset,
            )


def _problems_of_statement(statement: Statement) -> Iterator[Problem]:
    if statement.unclosed:
        yield Problem(
            "syntax-error",
            "A string, comment or quoted name that begins here is not closed.",
            "Close it.",
            statement.tokens[-1].offset,
        )
    if _controls_transaction(statement.words):
        yield Problem(
            "transaction-control",
            "A file is one transaction, which also holds its entry in the ledger: it cannot control that.",
            "Leave the statement out; what is to be its own transaction is its own file.",
            statement.offset,
        )
    for token in statement.tokens:
        if token.kind is Kind.SYMBOL and token.text == "\\":
            yield Problem(
                "psql-command",
                "Commands that begin with a backslash are psql's: the server does not know them.",
                "Write it in SQL.",
                token.offset,
            )
            break  # the rest of it is no SQL either


def _controls_transaction(words: tuple[str, ...]) -> bool:
    match words:
        case ("PREPARE", "TRANSACTION", *_):
            return True
        case ("PREPARE", *_):
            return False
        case ("SET", "TRANSACTION", *_) | ("SET", "SESSION", "CHARACTERISTICS", *_):
            return True
        case (first, *_):
            return first in _TRANSACTION_CONTROL
        case _:
            return False
