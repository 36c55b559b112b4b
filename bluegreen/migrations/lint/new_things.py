"""Tables and columns that the version which runs does not know: nothing that is asked of them can break it.
Pure."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from bluegreen.migrations.lint.made_here import normal
from bluegreen.migrations.lint.own_rule import NAME, QUALIFIED
from bluegreen.migrations.lint.own_rules import created_table
from bluegreen.migrations.lint.squawk import SquawkFinding
from bluegreen.migrations.lint.squawk_rules import ADDS_COLUMN
from bluegreen.migrations.statements import Statement
from bluegreen.migrations.token import Kind, Token

_TABLE = re.compile(
    r"(?:ALTER TABLE (?:IF EXISTS )?(?:ONLY )?|CREATE (?:UNIQUE )?INDEX .*?\bON (?:ONLY )?)" + QUALIFIED
)
_GIVES_VALUES = re.compile(rf"CREATE (?:OR REPLACE )?TRIGGER {NAME} BEFORE .*?\bON {QUALIFIED}")
# Words of an expression that can be no column: they are reserved.
_RESERVED = frozenset(
    {
        *("AND", "OR", "NOT", "IS", "NULL", "IN", "TRUE", "FALSE", "LIKE", "ILIKE", "ANY", "ALL", "ARRAY"),
        *("ASC", "DESC", "CASE", "WHEN", "THEN", "ELSE", "END"),
    }
)
# Rows that there are, or that the running version inserts, have more than NULL in such a column.
_HAS_VALUES = frozenset({"DEFAULT", "GENERATED", "SERIAL", "BIGSERIAL", "SMALLSERIAL"})


@dataclass(frozen=True, slots=True)
class NewThings:
    """`columns` are NULL in all rows that the running version writes."""

    tables: frozenset[str]
    columns: frozenset[tuple[str, str]]

    def __or__(self, other: NewThings) -> NewThings:
        return NewThings(self.tables | other.tables, self.columns | other.columns)


NOTHING_NEW = NewThings(frozenset(), frozenset())


def read_new_things(statements: Iterable[Statement], findings: Iterable[SquawkFinding]) -> NewThings:
    """What a file of expand adds; `findings` say where it adds columns."""
    statements = tuple(statements)
    starts = [each.offset for each in statements]
    columns = {
        column
        for finding in findings
        if finding.rule == ADDS_COLUMN and (index := bisect_right(starts, finding.offset)) > 0
        if (column := _new_column(statements[index - 1], finding))
    }
    return NewThings(frozenset(read_new_tables(statements)), frozenset(columns))


def read_new_tables(statements: Iterable[Statement]) -> set[str]:
    """The tables that a file creates."""
    return {normal(table) for each in statements if (table := created_table(each))}


def is_about(tables: set[str], statement: Statement) -> bool:
    """Whether it alters one of these, or builds an index of it."""
    return _table(statement) in tables


def restricts_only(new: NewThings, statement: Statement, finding: SquawkFinding) -> bool:
    """Whether a restriction of what may be written is about new things only, or nothing new at all."""
    table = _table(statement)
    tokens = _tokens(statement, finding)
    words = [_word(token) for token in tokens]
    if table is None or "PRIMARY" in words:  # which makes a column NOT NULL, too
        return table in new.tables
    if "UNIQUE" in words and "USING" in words and "(" not in words:
        return True  # by an index that restricts it already
    columns = set(_columns(tokens))
    return table in new.tables or (bool(columns) and all((table, each) in new.columns for each in columns))


def demands_value(statement: Statement, finding: SquawkFinding, others: Iterable[Statement]) -> bool:
    """Whether no row may be NULL in a column any more, and no trigger of the same file gives it a value."""
    words = [_word(token) for token in _tokens(statement, finding)]
    is_demand = ("NOT", "NULL") in pairwise(words) and "OR" not in words
    if not is_demand or statement.words[:2] != ("ALTER", "TABLE"):  # an index may just leave NULL out
        return False
    triggers = filter(None, (_GIVES_VALUES.match(each.skeleton) for each in others))
    return _table(statement) not in {normal(found["table"]) for found in triggers}


def has_values(statement: Statement, added: SquawkFinding) -> bool:
    """Whether the column that is added here has more than NULL in the rows that there are."""
    return not _HAS_VALUES.isdisjoint(_word(token) for token in _tokens(statement, added))


def _new_column(statement: Statement, finding: SquawkFinding) -> tuple[str, str] | None:
    table = _table(statement)
    if table is None:
        return None
    tokens = _tokens(statement, finding)
    words = [_word(token) for token in tokens]
    position = 1 + (words[1:2] == ["COLUMN"])
    position += 3 * (words[position : position + 3] == ["IF", "NOT", "EXISTS"])
    if position >= len(tokens) or has_values(statement, finding):
        return None
    return table, normal(tokens[position].text)


def _tokens(statement: Statement, finding: SquawkFinding) -> tuple[Token, ...]:
    start, end = (
        bisect_left(statement.tokens, offset, key=lambda token: token.offset)
        for offset in (finding.offset, finding.end)
    )
    return statement.tokens[start:end]


def _columns(tokens: tuple[Token, ...]) -> Iterator[str]:
    """Names within the first parentheses that are no function's or type's."""
    depth = 0
    for index, token in enumerate(tokens):
        depth += (token.text == "(") - (token.text == ")")
        if token.text == ")" and depth == 0:
            return
        before = tokens[index - 1].text if index else ""
        after = tokens[index + 1].text if index + 1 < len(tokens) else ""
        is_name = token.kind is Kind.NAME or (token.kind is Kind.WORD and _word(token) not in _RESERVED)
        if depth and is_name and before != "::" and after != "(":
            yield normal(token.text)


def _table(statement: Statement) -> str | None:
    found = _TABLE.match(statement.skeleton)
    return normal(found["table"]) if found else None


def _word(token: Token) -> str:
    return token.text.upper() if token.kind in (Kind.WORD, Kind.SYMBOL) else ""
