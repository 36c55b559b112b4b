"""The text of a file of endpoints. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from bluegreen.model.endpoint import Endpoint
from bluegreen.model.errors import InvalidInput
from bluegreen.model.pool import InstanceState
from bluegreen.provisioners.sight import brief, read_endpoint, refuse_too_many, refuse_twins

# libyaml's parser where PyYAML was built with it: it is about ten times faster.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

HEALTH = {
    "healthy": InstanceState.UP,
    "unhealthy": InstanceState.UNHEALTHY,
    "draining": InstanceState.DRAINING,
}

_EXPECTED = "expected a list of HOST:PORT or {endpoint: HOST:PORT, health: unhealthy}, or {endpoints: [...]}"
_KEYS = ("endpoint", "health")


@dataclass(frozen=True, slots=True)
class Listed:
    """One endpoint, and how it is: `health` of the file, healthy where it does not say."""

    endpoint: Endpoint
    state: InstanceState = InstanceState.UP


def read_endpoints(text: bytes) -> tuple[Listed, ...]:
    """What a YAML text lists, of which JSON is a part. Raises InvalidInput with what is wrong, and where. An
    empty text is wrong: it may be the beginning of another."""
    try:
        values = _values(text.decode())
    except UnicodeDecodeError as error:
        raise InvalidInput(f"no UTF-8: byte {error.start + 1} cannot be read.") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}: " if mark else ""
        raise InvalidInput(f"no YAML: {line}{error.problem or error.context}.") from None
    except yaml.YAMLError as error:
        raise InvalidInput(f"no YAML: {error}.") from None
    refuse_too_many(values, "endpoints")
    listed = tuple(_listed(value, f"endpoints[{n}]") for n, value in enumerate(values))
    refuse_twins((each.endpoint for each in listed), "endpoints")
    return listed


def _listed(value: str | dict[str, str], place: str) -> Listed:
    if isinstance(value, str):
        return Listed(read_endpoint(value, place))
    endpoint = read_endpoint(value.get("endpoint"), f"{place}.endpoint")
    health = value.get("health", "healthy")
    if health not in HEALTH:
        raise InvalidInput(f"{place}.health: {brief(health)} is none of {', '.join(HEALTH)}.")
    return Listed(endpoint, HEALTH[health])


def _values(text: str) -> list[str | dict[str, str]]:
    """Read from the parser's events, which come one by one: what nests deeply is refused at once, whereas
    the parser that builds values would overflow its stack."""
    events: Iterator[yaml.Event] = iter(yaml.parse(text, Loader=_LOADER))
    next(events)  # the stream begins
    if isinstance(next(events), yaml.StreamEndEvent):
        raise InvalidInput("the file is empty; write [] where there are no endpoints.")
    first = next(events)
    if isinstance(first, yaml.MappingStartEvent):
        key = next(events)
        if not isinstance(key, yaml.ScalarEvent) or key.value != "endpoints":
            raise _unexpected(key)
        values = _list(next(events), events)
        _require(next(events), yaml.MappingEndEvent)
    else:
        values = _list(first, events)
    _require(next(events), yaml.DocumentEndEvent)
    _require(next(events), yaml.StreamEndEvent)
    return values


def _list(first: yaml.Event, events: Iterator[yaml.Event]) -> list[str | dict[str, str]]:
    _require(first, yaml.SequenceStartEvent)
    values: list[str | dict[str, str]] = []
    while not isinstance(event := next(events), yaml.SequenceEndEvent):
        values.append(_mapping(events) if isinstance(event, yaml.MappingStartEvent) else _scalar(event))
    return values


def _mapping(events: Iterator[yaml.Event]) -> dict[str, str]:
    """One entry with its keys, each of them once."""
    entry: dict[str, str] = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        key = _scalar(event)
        if key not in _KEYS or key in entry:
            raise _unexpected(event)
        entry[key] = _scalar(next(events))
    return entry


def _scalar(event: yaml.Event) -> str:
    if not isinstance(event, yaml.ScalarEvent):
        raise _unexpected(event)
    value: str = event.value
    return value


def _require(event: yaml.Event, kind: type[yaml.Event]) -> None:
    if not isinstance(event, kind):
        raise _unexpected(event)


def _unexpected(event: yaml.Event) -> InvalidInput:
    line = event.start_mark.line + 1 if event.start_mark else 0
    return InvalidInput(f"{_EXPECTED}; line {line} is something else.")
