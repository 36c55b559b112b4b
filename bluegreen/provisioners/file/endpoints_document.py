"""The text of a file of endpoints. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from bluegreen.model.endpoint import Endpoint
from bluegreen.model.errors import InvalidInput
from bluegreen.provisioners.sight import read_endpoint, refuse_too_many, refuse_twins

# libyaml's parser where PyYAML was built with it: it is about ten times faster.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_EXPECTED = "expected a list of HOST:PORT, or {endpoints: [...]}"


def read_endpoints(text: bytes) -> tuple[Endpoint, ...]:
    """The endpoints of a YAML text, of which JSON is a part. Raises InvalidInput with what is wrong, and
    where. An empty text is wrong: it may be the beginning of another."""
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
    endpoints = tuple(read_endpoint(value, f"endpoints[{n}]") for n, value in enumerate(values))
    refuse_twins(endpoints, "endpoints")
    return endpoints


def _values(text: str) -> list[str]:
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


def _list(first: yaml.Event, events: Iterator[yaml.Event]) -> list[str]:
    _require(first, yaml.SequenceStartEvent)
    values: list[str] = []
    while not isinstance(event := next(events), yaml.SequenceEndEvent):
        if not isinstance(event, yaml.ScalarEvent):
            raise _unexpected(event)
        values.append(event.value)
    return values


def _require(event: yaml.Event, kind: type[yaml.Event]) -> None:
    if not isinstance(event, kind):
        raise _unexpected(event)


def _unexpected(event: yaml.Event) -> InvalidInput:
    line = event.start_mark.line + 1 if event.start_mark else 0
    return InvalidInput(f"{_EXPECTED}; line {line} is something else.")
