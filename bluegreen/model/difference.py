"""What an `apply` would change, line by line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from bluegreen.model.catalogue import Catalogue, ChangeKind, Difference
from bluegreen.model.description import describe_gateway, describe_service
from bluegreen.model.secret import Secret

LONGEST_TEXT = 200
"""Characters that are shown of one text, such as the body of a request."""

_ABSENT = object()

Entry = TypeVar("Entry")
Description = dict[str, Any]


def difference(old: Catalogue, new: Catalogue) -> list[Difference]:
    """From `old` to `new`, in the order of gateways, services, and their names; empty where they are equal.

    A gateway or service that comes or goes is one line; within one that stays, each value has its own.
    """
    return [
        *_between("gateways", old.gateways, new.gateways, describe_gateway),
        *_between("services", old.services, new.services, describe_service),
    ]


def _between(
    section: str,
    old: Mapping[str, Entry],
    new: Mapping[str, Entry],
    describe: Callable[[Entry], Description],
) -> Iterator[Difference]:
    for name in sorted(old.keys() | new.keys()):
        path = f"{section}.{name}"
        if name not in new:
            yield Difference(ChangeKind.REMOVED, path)
        elif name not in old:
            yield Difference(ChangeKind.ADDED, path)
        elif old[name] != new[name]:
            yield from _values(path, describe(old[name]), describe(new[name]))


def _values(path: str, old: Any, new: Any) -> Iterator[Difference]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):  # in the order of the file
            yield from _values(f"{path}.{key}", old.get(key, _ABSENT), new.get(key, _ABSENT))
    elif _has_objects(old) and _has_objects(new):
        yield from _items(path, old, new)
    elif old is _ABSENT:
        yield Difference(ChangeKind.ADDED, path, after=_text(new))
    elif new is _ABSENT:
        yield Difference(ChangeKind.REMOVED, path, before=_text(old))
    elif isinstance(old, Secret) and isinstance(new, Secret) and str(old) == str(new):
        if old != new:
            yield Difference(ChangeKind.CHANGED, path, str(old), "(another secret)")
    elif old != new or _text(old) != _text(new):  # 1 and true are equal, but not the same
        yield Difference(ChangeKind.CHANGED, path, _text(old), _text(new))


def _items(path: str, old: list[Any], new: list[Any]) -> Iterator[Difference]:
    """What has a name is found by it, wherever it stands: one that goes does not make the others change."""
    before, after = _by_key(old), _by_key(new)
    for key in dict.fromkeys([*before, *after]):
        yield from _values(f"{path}[{key}]", before.get(key, _ABSENT), after.get(key, _ABSENT))
    stay = [[key for key in one if key in other] for one, other in ((before, after), (after, before))]
    if stay[0] != stay[1]:
        yield Difference(ChangeKind.CHANGED, f"{path}: order", _text(stay[0]), _text(stay[1]))


def _by_key(items: list[Any]) -> dict[Any, Any]:
    """By name where each has one of its own, else by index."""
    named = {item["name"]: item for item in items if isinstance(item.get("name"), str)}
    return named if len(named) == len(items) else dict(enumerate(items))


def _has_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _text(value: Any) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{key}: {_text(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_text, value)) + "]"
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
        case str() if not value.isprintable():
            return _short(json.dumps(value, ensure_ascii=False))
        case _:
            return _short(str(value))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 3]}..."
