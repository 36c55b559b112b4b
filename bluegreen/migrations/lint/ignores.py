"""Comments that ask for a rule to be passed over. Pure.

`-- squawk-ignore RULE, RULE` before a statement, within it, or behind it on its line, is about that
statement; `-- squawk-ignore-file RULE` about the whole file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from bluegreen.migrations.statements import Statement
from bluegreen.migrations.token import Kind, Token, tokenize

_COMMENT = re.compile(r"(?:--|/\*)\s*squawk-ignore(?P<file>-file)?\s*:?\s+(?P<rules>[a-z0-9,\s-]*)")


@dataclass(frozen=True, slots=True)
class Ignore:
    """`rule` is passed over between `start` and `end`, in characters; the comment stands at `offset`."""

    rule: str
    offset: int
    start: int
    end: int


@dataclass(slots=True)
class Ignores:
    """Those of one file, and which of them made a difference."""

    all: tuple[Ignore, ...]
    _used: set[Ignore] = field(default_factory=set)

    def cover(self, rule: str, offset: int) -> bool:
        covering = {each for each in self.all if each.rule == rule and each.start <= offset < each.end}
        self._used |= covering
        return bool(covering)

    def unused(self) -> list[Ignore]:
        return [each for each in self.all if each not in self._used]


def read_ignores(text: str, statements: tuple[Statement, ...]) -> Ignores:
    if "squawk-ignore" not in text:
        return Ignores(())
    return Ignores(tuple(_ignores(text, statements)))


def _ignores(text: str, statements: tuple[Statement, ...]) -> Iterator[Ignore]:
    waiting = iter(statements)
    before: Statement | None = None
    statement = next(waiting, None)
    for token in tokenize(text):
        while statement is not None and _end(statement) <= token.offset:
            before, statement = statement, next(waiting, None)
        found = _COMMENT.match(token.text) if token.kind is Kind.COMMENT else None
        if not found:
            continue
        if found["file"]:
            start, end = 0, len(text) + 1
        elif before is not None and "\n" not in text[_end(before) : token.offset]:
            start, end = before.offset, _end(before)
        elif statement is not None:
            start, end = min(statement.offset, token.offset), _end(statement)
        else:
            start, end = token.offset, len(text) + 1
        for rule in _rules(found["rules"], token):
            yield Ignore(rule, token.offset, start, end)


def _rules(listed: str, token: Token) -> list[str]:
    """Words that follow without a comma are a remark."""
    return [words[0] for each in listed.split(",") if (words := each.split())]


def _end(statement: Statement) -> int:
    """Behind the last character; also a finding at the very end is the statement's."""
    return statement.offset + len(statement.text) + 1
