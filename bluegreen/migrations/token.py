"""SQL in tokens, as PostgreSQL's own scanner takes it apart: "Lexical Structure" of its manual, section 4.1.

Only as far as statements can be told apart and their kinds be known. What stands in comments, strings and
dollar quotes can not be mistaken for a statement, nor the other way round.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    WORD = "word"  # a keyword, or a name without quotes
    NAME = "quoted name"
    STRING = "string"
    NUMBER = "number"
    SYMBOL = "symbol"  # one character; `::` is one too
    COMMENT = "comment"
    UNCLOSED = "unclosed"  # a string, comment or quoted name that goes on to the end of the text


class Token(NamedTuple):
    """`offset` counts characters from the beginning of the text."""

    kind: Kind
    text: str
    offset: int

    @property
    def end(self) -> int:
        return self.offset + len(self.text)


_BLANK = r"[ \t\n\r\f\v]"
_LETTER = r"[A-Za-z_\x80-\U0010ffff]"  # whatever is beyond ASCII is a letter to PostgreSQL

_START = re.compile(
    rf"""(?P<blank>{_BLANK}+)
    |(?P<line>--[^\n\r]*)
    |(?P<block>/\*)
    |(?P<escaped>[eE]')
    |(?P<string>(?:[bBxXnN]|[uU]&)?')
    |(?P<name>(?:[uU]&)?")
    |(?P<dollar>\$(?:{_LETTER}(?:{_LETTER}|[0-9])*)?\$)
    |(?P<word>{_LETTER}(?:{_LETTER}|[0-9$])*)
    |(?P<number>\$?[0-9](?:{_LETTER}|[0-9.])*)
    |(?P<symbol>::|.)""",
    re.VERBOSE | re.DOTALL,
)
_KINDS = {
    "line": Kind.COMMENT,
    "block": Kind.COMMENT,
    "escaped": Kind.STRING,
    "string": Kind.STRING,
    "name": Kind.NAME,
    "dollar": Kind.STRING,
    "word": Kind.WORD,
    "number": Kind.NUMBER,
    "symbol": Kind.SYMBOL,
}

# A quote that is doubled is one of the text. Where a backslash escapes, it does so too when the string is
# continued on another line; elsewhere that makes two strings of one, which end at the same place.
_END_OF_STRING = re.compile("[^']*+(?:''[^']*+)*+'")
_END_OF_NAME = re.compile('[^"]*+(?:""[^"]*+)*+"')
_END_OF_ESCAPED = re.compile(
    rf"(?:[^'\\]|\\.|''|'(?:[ \t\f\v]|--[^\n\r]*+)*+[\n\r](?:{_BLANK}|--[^\n\r]*[\n\r])*+')*+'", re.DOTALL
)
_COMMENT_MARK = re.compile(r"/\*|\*/")


def tokenize(text: str) -> Iterator[Token]:
    """All tokens but blanks, from first to last; never raises."""
    position = 0
    while found := _START.match(text, position):
        group = found.lastgroup or "symbol"
        end = _end(text, found, group)
        if end is None:
            yield Token(Kind.UNCLOSED, text[position:], position)
            return
        if group != "blank":
            yield Token(_KINDS[group], text[position:end], position)
        position = end


def _end(text: str, found: re.Match[str], group: str) -> int | None:
    """Where the token ends; None: nowhere."""
    start = found.end()
    match group:
        case "block":
            return _end_of_block(text, start)
        case "dollar":
            at = text.find(found[0], start)
            return None if at < 0 else at + len(found[0])
        case "string":
            closed = _END_OF_STRING.match(text, start)
        case "name":
            closed = _END_OF_NAME.match(text, start)
        case "escaped":
            closed = _END_OF_ESCAPED.match(text, start)
        case _:
            return start
    return closed.end() if closed else None


def _end_of_block(text: str, start: int) -> int | None:
    """Comments nest."""
    depth = 1
    for mark in _COMMENT_MARK.finditer(text, start):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    return None
