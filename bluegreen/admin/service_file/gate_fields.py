"""Single values of gates: what they are called, how long they may take, what they run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from bluegreen.admin.service_file.entry import Entry, incomplete
from bluegreen.admin.service_file.fields import Timespan
from bluegreen.admin.service_file.problem import quote
from bluegreen.model.duration import format_duration

LONGEST_TEST = 6 * 3600.0
"""Seconds that one test may take, all its repeats and retries together."""

LONGEST_HOOK = 3600.0
LONGEST_TRY = 300.0
"""Seconds for one answer of a source, and between two."""

_MAX_ARGUMENTS, _MAX_ARGUMENT, _MAX_COMMAND = 100, 8_000, 32_000


def _title(value: object) -> str:
    if isinstance(value, str) and 0 < len(value) <= 64 and value.isprintable() and value == value.strip():
        return value
    raise ValueError(
        f"{quote(value)} is no name: a text of 1 to 64 printable characters (in quotes, if it is a number)."
    )


def _command(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError(
            "must be a list of a program and its arguments, such as [./check.sh, --fast]: no shell."
        )
    for index, part in enumerate(value):
        if not isinstance(part, str):
            raise ValueError(f"[{index}] must be a text (in quotes, if it is a number), not {quote(part)}.")
        if "\0" in part or len(part) > _MAX_ARGUMENT:
            raise ValueError(f"[{index}] must have at most {_MAX_ARGUMENT} characters, none of them zero.")
    if not value[0].strip():
        raise ValueError("[0] must be a program.")
    if len(value) > _MAX_ARGUMENTS or sum(map(len, value)) > _MAX_COMMAND:
        raise ValueError(f"is longer than {_MAX_ARGUMENTS} arguments or {_MAX_COMMAND} characters.")
    return tuple(value)


def up_to(longest: float) -> AfterValidator:
    """A bound of a duration, in seconds."""

    def check(seconds: float) -> float:
        if seconds > longest:
            raise ValueError(f"must not be longer than {format_duration(longest)}.")
        return seconds

    return AfterValidator(check)


def at_least(shortest: float) -> AfterValidator:
    """The same from below."""

    def check(seconds: float) -> float:
        if seconds < shortest:
            raise ValueError(f"must be at least {format_duration(shortest)}.")
        return seconds

    return AfterValidator(check)


def one_of(entry: Entry, *keys: str) -> str:
    """The only one of these keys that is there."""
    given = [key for key in keys if getattr(entry, key) is not None]
    if not given:
        raise incomplete(f"give {', '.join(keys[:-1])} or {keys[-1]}.")
    if len(given) > 1:
        raise ValueError(f"give {given[0]} or {given[1]}, not both.")
    return given[0]


def requires_one_of(*keys: str) -> Callable[[dict[str, Any]], None]:
    """The same for the JSON Schema."""

    def add(schema: dict[str, Any]) -> None:
        schema["oneOf"] = [{"required": [key]} for key in keys]

    return add


Title = Annotated[
    str, PlainValidator(_title), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 64})
]
Command = Annotated[
    tuple[str, ...],
    PlainValidator(_command),
    WithJsonSchema(
        {
            "description": "A program and its arguments; no shell is between.",
            "type": "array",
            "items": {"type": "string", "maxLength": _MAX_ARGUMENT},
            "minItems": 1,
            "maxItems": _MAX_ARGUMENTS,
        }
    ),
]
TestTimeout = Annotated[Timespan, up_to(LONGEST_TEST)]
HookTimeout = Annotated[Timespan, up_to(LONGEST_HOOK)]
TryTimeout = Annotated[Timespan, up_to(LONGEST_TRY)]
Count = Annotated[int, Field(ge=1, le=1000)]
