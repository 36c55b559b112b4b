"""Comments that ask for a rule to be passed over. Pure.

`-- squawk-ignore RULE, RULE` before a statement, within it, or behind it on its line, is about that
statement; `-- squawk-ignore-file RULE` about the whole file.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

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


class Ignores:
    """Those of one file, and which of them made a difference."""

    def __init__(self, ignores: Iterable[Ignore]) -> None:
        self._all = tuple(ignores)
        self._used: set[Ignore] = set()
        self._by_rule: dict[str, list[Ignore]] = {}
        for each in sorted(self._all, key=lambda each: (each.start, -each.end)):
            self._by_rule.setdefault(each.rule, []).append(each)

    def cover(self, rule: str, offset: int) -> bool:
        """Whether a finding of this rule is to be passed over. They are about the whole file, which begins
        first, or about one statement: those that cover the place are the very first and the last before it.
        """
        of_rule = self._by_rule.get(rule, [])
        before = bisect_right(of_rule, offset, key=lambda each: each.start)
        candidates = [*of_rule[: min(before, 1)], *of_rule[max(before - 1, 0) : before]]
        covering = {each for each in candidates if offset < each.end}
        self._used |= covering
        return bool(covering)

    def unused(self) -> list[Ignore]:
        return [each for each in self._all if each not in self._used]


def read_ignores(text: str, statements: tuple[Statement, ...]) -> Ignores:
    if "squawk-ignore" not in text:
        return Ignores(())
    return Ignores(_ignores(text, statements))


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
