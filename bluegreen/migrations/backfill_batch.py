"""The text of a batch, and how large it is to be. Pure."""

from __future__ import annotations

from itertools import pairwise

from bluegreen.migrations.backfill_form import AFTER, UPTO, bind
from bluegreen.migrations.errors import Refused
from bluegreen.migrations.migration_file import MigrationFile
from bluegreen.migrations.statements import Statement
from bluegreen.migrations.token import Kind, Token

_OPERATORS = frozenset("+-*/<>=~!@#%^&|`?")

FIRST_ROWS, FEWEST_ROWS, MOST_ROWS = 500, 1, 100_000


class BatchSize:
    """Rows of the next batch, so that it takes about `target` seconds."""

    def __init__(self, target: float) -> None:
        self._target = target
        self.rows = FIRST_ROWS

    def took(self, seconds: float) -> None:
        """After a batch of this size. At most twice, at least half as many the next time: one that was slow
        by chance is soon made up for, and one that is fast by chance does no harm."""
        factor = min(2.0, max(0.5, self._target / max(seconds, 0.001)))
        self._set(self.rows * factor)

    def was_in_the_way(self) -> None:
        """Fewer rows are locked, for a shorter time."""
        self._set(self.rows / 2)

    def _set(self, rows: float) -> None:
        self.rows = min(MOST_ROWS, max(FEWEST_ROWS, round(rows)))


def first_batch(file: MigrationFile, first: str, upto: str) -> str:
    """The statement for the rows from the very first key; both keys as SQL. No type has a value that is
    surely before it, so that `key > :after` becomes `key >= first`. Raises Refused where it is not so
    written."""
    return bind(_including(file, file.statements[0]), {AFTER: first, UPTO: upto})


def next_batch(file: MigrationFile, after: str, upto: str) -> str:
    """The statement for the rows after a key."""
    return bind(file.text, {AFTER: after, UPTO: upto})


def _including(file: MigrationFile, statement: Statement) -> str:
    """The file's text with >= for > before each `:after`, and <= for < behind it."""
    nothing = Token(Kind.SYMBOL, "", 0)
    tokens = (nothing, nothing, *statement.tokens, nothing, nothing)
    places = []
    for at, (colon, name) in enumerate(pairwise(tokens)):
        if colon.text != ":" or name.text != AFTER or name.offset != colon.end:
            continue
        if tokens[at - 1].text == ">" and tokens[at - 2].text not in _OPERATORS:
            places.append(tokens[at - 1].end)
        elif tokens[at + 2].text == "<" and tokens[at + 3].text not in _OPERATORS:
            places.append(tokens[at + 2].end)
        else:
            line = statement.line
            raise Refused(f"{file.path.name}:{line}: write KEY > :after, which is what a batch begins with")
    text = file.text
    for place in reversed(places):
        text = f"{text[:place]}={text[place:]}"
    return text
