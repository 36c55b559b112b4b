"""The statements of an SQL file, told apart as psql does it: for findings and messages only. A file is
executed as it stands."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property

from bluegreen.migrations.token import Kind, Token, tokenize


@dataclass(frozen=True)
class Statement:
    """`text` goes from the first token to the last, without the semicolon; comments before it are not part
    of it. `offset` counts characters from the beginning of the file, `line` from 1. `unclosed`: it ends
    within a string, comment or quoted name that is not closed."""

    text: str
    offset: int
    line: int
    tokens: tuple[Token, ...]
    unclosed: bool = False

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words that it begins with, in upper case: `CREATE UNIQUE INDEX CONCURRENTLY PEOPLE_NAME ON`."""
        words = []
        for token in self.tokens:
            if token.kind is not Kind.WORD:
                break
            words.append(token.text.upper())
        return tuple(words)

    @cached_property
    def skeleton(self) -> str:
        """All tokens, one blank between them, words in upper case, strings empty, nothing unusual in quoted
        names: what patterns look at."""
        return " ".join(_bone(token) for token in self.tokens)

    def skeleton_between(self, start: int, end: int) -> str:
        """That of the tokens which begin between these offsets."""
        first, last = (
            bisect_left(self.tokens, offset, key=lambda token: token.offset) for offset in (start, end)
        )
        return " ".join(_bone(token) for token in self.tokens[first:last])

    @property
    def runs_alone(self) -> bool:
        """PostgreSQL does not run it in a transaction."""
        return _RUNS_ALONE.match(self.skeleton) is not None


_UNUSUAL = re.compile(r'[\s"]')
_RUNS_ALONE = re.compile(
    r"""(?:
        CREATE\ (?:UNIQUE\ )?INDEX\ CONCURRENTLY
        |DROP\ INDEX\ CONCURRENTLY
        |REINDEX\ (?:\(.*?\)\ )?(?:\w+\ CONCURRENTLY|DATABASE|SYSTEM|SCHEMA)
        |REINDEX\ \([^)]*\bCONCURRENTLY(?!\ (?:FALSE|OFF|0)\b)
        |ALTER\ TABLE\ .*\ DETACH\ PARTITION\ \S+(?:\ \.\ \S+)?\ CONCURRENTLY$
        |ALTER\ SYSTEM
        |ALTER\ DATABASE\ \S+\ SET\ TABLESPACE
        |(?:CREATE|DROP)\ (?:DATABASE|TABLESPACE|SUBSCRIPTION)
        |ALTER\ SUBSCRIPTION\ \S+\ (?:REFRESH|SET|ADD|DROP)\ PUBLICATION
        |VACUUM
        |CLUSTER(?:\ VERBOSE|\ \(.*?\))?$
    )(?:\ |$)""",
    re.VERBOSE,
)


def split(text: str) -> tuple[Statement, ...]:
    """The statements of a file; between them are only blanks, comments and semicolons. Never raises."""
    lines = LineIndex(text)
    statements: list[Statement] = []
    body = _Body()
    tokens: list[Token] = []

    def close() -> None:
        if tokens:
            first, last = tokens[0], tokens[-1]
            unclosed = last.kind is Kind.UNCLOSED
            line, _ = lines.place(first.offset)
            statements.append(
                Statement(text[first.offset : last.end], first.offset, line, tuple(tokens), unclosed)
            )
            tokens.clear()

    for token in tokenize(text):
        if token.kind is Kind.COMMENT:
            continue
        if token.text == ";" and body.is_over:
            close()
            body = _Body()
        else:
            tokens.append(token)
            body.take(token)
    close()
    return tuple(statements)


class LineIndex:
    """Finds the line and column, both from 1, of an offset; lines end with LF, as for PostgreSQL and editors
    (CR LF does so too)."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def offset(self, line: int, column: int = 1) -> int:
        """The other way round; the last line where there are not so many."""
        return self._starts[min(line, len(self._starts)) - 1] + column - 1


class _Body:
    """Semicolons within parentheses, and within the BEGIN ATOMIC ... END of a routine, end no statement."""

    def __init__(self) -> None:
        self._parentheses = 0
        self._blocks = 0
        self._before = ""  # the token before, in upper case

    @property
    def is_over(self) -> bool:
        return self._parentheses == 0 and self._blocks == 0

    def take(self, token: Token) -> None:
        text = token.text.upper() if token.kind in (Kind.WORD, Kind.SYMBOL) else ""
        is_label = self._before in ("AS", ".")
        match text:
            case "(":
                self._parentheses += 1
            case ")":
                self._parentheses = max(0, self._parentheses - 1)
            case "ATOMIC" if self._before == "BEGIN":
                self._blocks += 1
            case "CASE" if self._blocks and not is_label:
                self._blocks += 1
            case "END" if self._blocks and not is_label:
                self._blocks -= 1
        self._before = text


def _bone(token: Token) -> str:
    match token.kind:
        case Kind.WORD:
            return token.text.upper()
        case Kind.STRING:
            return "''"
        case Kind.NAME:
            return f'"{_UNUSUAL.sub("_", token.text[1:-1])}"' if token.text[0] == '"' else token.text
        case _:
            return token.text
