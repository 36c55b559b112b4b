"""What an `apply` would change, line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from bluegreen.model.catalogue import Catalogue, ChangeKind, Difference
from bluegreen.model.description import describe_gateway, describe_service
from bluegreen.model.secret import Secret

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
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):  # in the order of the file
            yield from _values(f"{path}.{key}", old.get(key), new.get(key))
    elif _has_objects(old) and _has_objects(new):
        for index in range(max(len(old), len(new))):
            yield from _values(f"{path}[{index}]", _at(old, index), _at(new, index))
    elif old is None:
        yield Difference(ChangeKind.ADDED, path, after=_text(new))
    elif new is None:
        yield Difference(ChangeKind.REMOVED, path, before=_text(old))
    elif isinstance(new, Secret):
        yield Difference(ChangeKind.CHANGED, path, _text(old), "(another secret)")
    else:
        yield Difference(ChangeKind.CHANGED, path, _text(old), _text(new))


def _has_objects(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)


def _at(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else None


def _text(value: Any) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{key}: {_text(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_text, value)) + "]"
        case bool():
            return "true" if value else "false"
        case None:
            return "none"
        case _:
            return str(value)
