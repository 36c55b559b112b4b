"""Statements on indexes that run outside of a transaction, taken apart. Pure."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import TypeAlias

from bluegreen.migrations.migration_file import MigrationFile
from bluegreen.migrations.statements import Statement
from bluegreen.migrations.token import Kind, Token


@dataclass(frozen=True, slots=True)
class IndexBuild:
    """`CREATE [UNIQUE] INDEX CONCURRENTLY name ON table rest`. `name` is without quotes, and empty where
    PostgreSQL would choose one; `table` and `rest` are as they were written. Its schema is its table's."""

    name: str
    table: str
    unique: bool
    rest: str


@dataclass(frozen=True, slots=True)
class IndexDrop:
    """`DROP INDEX CONCURRENTLY name`: PostgreSQL takes one at a time. `schema` may be empty."""

    name: str
    schema: str


@dataclass(frozen=True, slots=True)
class Reindex:
    """`REINDEX ... CONCURRENTLY`."""


IndexStatement: TypeAlias = IndexBuild | IndexDrop | Reindex


def index_statement(statement: Statement) -> IndexStatement | None:
    """None: something else, or cut short, which is for the server to say."""
    try:
        return _index_statement(statement)
    except IndexError:
        return None


def _index_statement(statement: Statement) -> IndexStatement | None:
    match statement.words:
        case ("CREATE", "UNIQUE", "INDEX", "CONCURRENTLY", *_):
            return _build(statement, 4, unique=True)
        case ("CREATE", "INDEX", "CONCURRENTLY", *_):
            return _build(statement, 3, unique=False)
        case ("DROP", "INDEX", "CONCURRENTLY", *_):
            names = _names(statement, _skip(statement, 3, "IF", "EXISTS"))
            return IndexDrop(names[-1], names[0] if len(names) > 1 else "")
        case ("REINDEX", *_):
            return Reindex()
        case _:
            return None


def indexes_of(files: tuple[MigrationFile, ...]) -> Set[str]:
    """The names of the indexes that these files build or drop outside of a transaction."""
    found = [index_statement(file.statements[0]) for file in files if file.runs_alone]
    return {each.name for each in found if isinstance(each, IndexBuild | IndexDrop)}


def _build(statement: Statement, at: int, *, unique: bool) -> IndexBuild:
    at = _skip(statement, at, "IF", "NOT", "EXISTS")
    tokens = statement.tokens
    name = ""
    if tokens[at].text.upper() != "ON":
        name = unquoted(tokens[at])
        at += 1
    at = _skip(statement, at, "ON")
    at = _skip(statement, at, "ONLY")
    end = at
    while tokens[end + 1].text == ".":
        end += 2
    begin, over = tokens[at].offset - statement.offset, tokens[end].end - statement.offset
    return IndexBuild(name, statement.text[begin:over], unique, statement.text[over:])


def _skip(statement: Statement, at: int, *words: str) -> int:
    there = tuple(token.text.upper() for token in statement.tokens[at : at + len(words)])
    return at + len(words) if there == words else at


def _names(statement: Statement, at: int) -> list[str]:
    names = [unquoted(statement.tokens[at])]
    while statement.tokens[at + 1 : at + 2] and statement.tokens[at + 1].text == ".":
        at += 2
        names.append(unquoted(statement.tokens[at]))
    return names


def unquoted(token: Token) -> str:
    """The name that it stands for."""
    if token.kind is Kind.NAME:
        return token.text[1:-1].replace('""', '"')
    return token.text.lower()
