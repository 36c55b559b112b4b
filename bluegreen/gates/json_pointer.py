"""JSON pointers (RFC 6901), and JSON that comes from outside."""

from __future__ import annotations

import json
import re

_PART = re.compile(r"(?:[^~]|~[01])*", re.DOTALL)
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)


class InvalidPointer(ValueError):
    """The text is no JSON pointer."""


class NotThere(LookupError):
    """The document has nothing where the pointer leads."""


def parse_pointer(pointer: str) -> tuple[str, ...]:
    """The names on the way (section 4). Raises InvalidPointer."""
    first, *parts = pointer.split("/")
    if first:
        raise InvalidPointer(f"{pointer!r} is no JSON pointer: it must be empty or begin with /")
    if not all(map(_PART.fullmatch, parts)):
        raise InvalidPointer(f"{pointer!r} is no JSON pointer: ~ is written ~0, and / within a name ~1")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)


def resolve(document: object, pointer: str) -> object:
    """The value the pointer leads to. Raises NotThere, and InvalidPointer."""
    value = document
    for part in parse_pointer(pointer):
        match value:
            case dict() if part in value:
                value = value[part]
            case list() if _INDEX.fullmatch(part) and int(part) < len(value):
                value = value[int(part)]
            case _:
                raise NotThere(pointer)
    return value


def parse_json(text: str | bytes) -> object:
    """Raises ValueError for what is no JSON, or so deep that it is no use."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deep") from None


def are_equal(one: object, other: object) -> bool:
    """As JSON sees it: true is not 1, but 1 is 1.0; the order of names is no matter."""
    match one, other:
        case (bool(), _) | (_, bool()):
            return one is other
        case dict(), dict():
            return one.keys() == other.keys() and all(are_equal(one[name], other[name]) for name in one)
        case list(), list():
            return len(one) == len(other) and all(map(are_equal, one, other))
        case _:
            return one == other


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON")  # Python's parser takes NaN and Infinity
