"""What is said to the program, and what it answers. Pure; docs/environments.md has it for its author."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from bluegreen.model.errors import InvalidInput
from bluegreen.model.pool import Instance, InstanceState, Pool
from bluegreen.provisioners.sight import brief, read_endpoint, refuse_too_many, refuse_twins
from bluegreen.subprocesses.printable import printable

MAXIMUM_ID = 200
MAXIMUM_NOTE = 1000
"""Characters."""


class Verb(StrEnum):
    """The last argument."""

    UP = "up"  # have so many instances
    ENDPOINTS = "endpoints"  # tell which there are, and change nothing
    STOP = "stop"  # have those gone that leave, or all


def question(pool: Pool, known: Sequence[Instance]) -> bytes:
    """What stands on the program's standard input."""
    told = {
        "service": pool.service,
        "environment": pool.environment,
        "version": pool.version,
        "revision": pool.revision,
        "capacity": pool.capacity,
        "leaving": list(pool.leaving),
        "instances": [
            {"id": each.id, "endpoint": str(each.endpoint), "state": each.state.value} for each in known
        ],
    }
    return json.dumps(told).encode() + b"\n"


def read_answer(text: bytes, now: float, known: Sequence[Instance]) -> tuple[Instance, ...]:
    """The instances of an answer. One that does not tell since when it is there is taken to be there since
    `now`, or since it was told of first; those that are there longest come first. Raises InvalidInput with
    what is wrong, and where."""
    answer = _object(_json(text), "the answer")
    entries = answer.get("instances")
    if not isinstance(entries, list):
        raise InvalidInput(f'expected {{"instances": [...]}}, not {brief(answer)}.')
    refuse_too_many(entries, "instances")
    since = {each.id: each.since for each in known}
    instances = tuple(_instance(entry, f"instances[{n}]", now, since) for n, entry in enumerate(entries))
    refuse_twins((each.id for each in instances), "instances")
    refuse_twins((each.endpoint for each in instances), "instances")
    return tuple(sorted(instances, key=lambda each: each.since))


def _json(text: bytes) -> Any:
    if not text.strip():
        raise InvalidInput("nothing was written to standard output.")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"no JSON ({error}): {brief(text.decode(errors='replace'))}.") from None


def _instance(value: Any, place: str, now: float, since: dict[str, float]) -> Instance:
    entry = _object(value, place)
    name = _id(entry.get("id"), f"{place}.id")
    note = entry.get("note", "")
    if not isinstance(note, str):
        raise InvalidInput(f"{place}.note: expected a text, not {brief(note)}.")
    return Instance(
        name,
        read_endpoint(entry.get("endpoint"), f"{place}.endpoint"),
        _state(entry.get("state"), f"{place}.state"),
        _since(entry.get("since", since.get(name, now)), f"{place}.since"),
        note=printable(note)[:MAXIMUM_NOTE],
    )


def _object(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInput(f"{place}: expected an object, not {brief(value)}.")
    return value


def _id(value: Any, place: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAXIMUM_ID or not value.isprintable():
        raise InvalidInput(
            f"{place}: expected a text of 1 to {MAXIMUM_ID} printable characters, not {brief(value)}."
        )
    return value


def _state(value: Any, place: str) -> InstanceState:
    try:
        return InstanceState(value)
    except ValueError:
        raise InvalidInput(f"{place}: {brief(value)} is none of {', '.join(InstanceState)}.") from None


def _since(value: Any, place: str) -> float:
    # Neither NaN nor an infinity, which Python's JSON knows, nor an integer that is no float any more.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        raise InvalidInput(f"{place}: expected seconds since the epoch, not {brief(value)}.")
    return float(value)
