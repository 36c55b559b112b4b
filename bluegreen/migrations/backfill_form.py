"""What a backfill's file has to be, so that it can be run in batches: one statement with `:after` and
`:upto`, under a comment that names the table and its key. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from bluegreen.migrations.migration_file import BackfillHeader
from bluegreen.migrations.problem import Problem
from bluegreen.migrations.statements import Statement, split
from bluegreen.migrations.token import Kind, Token, tokenize

AFTER, UPTO = "after", "upto"

_WORD = r'(?:[A-Za-z_][A-Za-z0-9_$]{0,62}|"[^"\s=\x00-\x1f]{1,63}")'
_HEADER = re.compile(r"--\s*bluegreen\s*:(.*)", re.DOTALL)
_ENTRIES = re.compile(rf"(?:table=(?P<table>{_WORD}(?:\.{_WORD})?)|key=(?P<key>{_WORD}))(?=\s|$)", re.ASCII)
_WRITES = re.compile(r"(?:WITH .*\b)?(?:UPDATE|INSERT INTO|DELETE FROM)\b")
_EXAMPLE = "-- bluegreen: table=people key=id"
_BATCH = "WHERE id > :after AND id <= :upto"


def read_header(text: str) -> BackfillHeader | Problem:
    """What the comment above the statement says."""
    for token in tokenize(text):
        if token.kind is not Kind.COMMENT:
            break
        if found := _HEADER.fullmatch(token.text):
            return _header(found[1], token)
    return Problem(
        "backfill-header",
        "It does not say whose rows it goes through, in which order.",
        f"Begin the file with {_EXAMPLE!r}; the key is one column with a unique index.",
    )


def _header(entries: str, token: Token) -> BackfillHeader | Problem:
    values: dict[str, str] = {}
    for entry in entries.split():
        found = _ENTRIES.fullmatch(entry)
        if not found or found.lastgroup in values:
            return _bad_header(token, f"{entry!r} is not one of table=NAME and key=COLUMN, each once")
        values[str(found.lastgroup)] = found[str(found.lastgroup)]
    if missing := {"table", "key"} - values.keys():
        return _bad_header(token, f"{' and '.join(sorted(missing, reverse=True))} is missing")
    return BackfillHeader(**values)


def _bad_header(token: Token, reason: str) -> Problem:
    return Problem("backfill-header", f"{reason}.", f"It has to be as {_EXAMPLE!r}.", token.offset)


def problems_of_backfill(statements: tuple[Statement, ...]) -> Iterator[Problem]:
    """Why it cannot be run in batches."""
    for more in statements[1:]:
        yield Problem(
            "backfill-one-statement",
            "A backfill is one statement, which is repeated for each batch.",
            "Give each its own number, or do it all in one UPDATE.",
            more.offset,
        )
    for statement in statements[:1]:
        if not _WRITES.match(statement.skeleton):
            yield Problem(
                "backfill-one-statement",
                "A backfill is an UPDATE, INSERT or DELETE.",
                "Changes of the schema belong into expand or contract.",
                statement.offset,
            )
        names = {name for name, _, _ in _parameters(statement)}
        if missing := [f":{name}" for name in (AFTER, UPTO) if name not in names]:
            yield Problem(
                "backfill-batch",
                f"It does not keep to a batch: it is without {' and without '.join(missing)}.",
                f"Take only the rows of one batch: {_BATCH}.",
                statement.offset,
            )
        for name, start, _ in _parameters(statement):
            if name not in (AFTER, UPTO):
                yield Problem(
                    "backfill-batch",
                    f"There is no value for :{name}.",
                    f"Only :after and :upto are filled in: {_BATCH}.",
                    start,
                )


def bind(text: str, values: Mapping[str, str]) -> str:
    """The one statement of a backfill, with SQL in the place of `:after` and `:upto`, and nothing in strings
    and comments changed. It has no semicolon at its end."""
    (statement,) = split(text)
    parts, position = [], statement.offset
    for name, start, end in _parameters(statement):
        parts += [text[position:start], values[name]]
        position = end
    return "".join([*parts, text[position : statement.offset + len(statement.text)]])


def with_constants(text: str) -> str:
    """With a number in the place of each `:name` and all else where it was, for who only parses it."""
    parts, position = [], 0
    for statement in split(text):
        for _, start, end in _parameters(statement):
            parts += [text[position:start], "0".ljust(end - start)]
            position = end
    return "".join([*parts, text[position:]])


def _parameters(statement: Statement) -> Iterator[tuple[str, int, int]]:
    """Each `:name` with where it begins and ends. A slice, `a[1:n]`, is not one: it has a bracket before."""
    brackets = 0
    for token, following in zip(statement.tokens, statement.tokens[1:], strict=False):
        brackets += (token.text == "[") - (token.text == "]")
        is_colon = token.kind is Kind.SYMBOL and token.text == ":"
        if is_colon and not brackets and following.kind is Kind.WORD and following.offset == token.end:
            yield following.text, token.offset, following.end
