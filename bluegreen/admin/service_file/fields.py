"""Single values of the service file: how each is read, checked, and described in the JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, PlainValidator, ValidationInfo, WithJsonSchema

from bluegreen.admin.contract import NAME
from bluegreen.admin.service_file.problem import quote
from bluegreen.model.description import MANUAL
from bluegreen.model.duration import parse_duration
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.errors import InvalidInput

LOOPBACK = "127.0.0.1"

_DURATION = r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)?$"
_ADDRESS = r"^.+:[0-9]{1,5}$"
_PATH = r'/[!"$->@-~]{0,1023}'  # printable ASCII, no blank, no ? and no #
# What Envoy can look up: a whole name, or a `*` in place of its beginning or its end.
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*"
_DOMAIN = rf"\*|(?:\*[.-]?)?{_HOST}|{_HOST}[.-]?\*"
# Proxies look at paths in their normal form (RFC 3986, 6.2.2): one with /../ would match nothing. Two slashes
# stay as they are there, and are a slip.
_NOT_NORMAL = re.compile(r"//|/(?:\.|%2[Ee]){1,2}(?:/|$)")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")

Value = TypeVar("Value")


def _read(reader: Callable[[str], Value], text: str) -> Value:
    """The model's own reader, its complaint in the form that pydantic collects."""
    try:
        return reader(text)
    except InvalidInput as error:
        raise ValueError(str(error)) from None


def _name(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(NAME, value):
        return value
    raise ValueError(
        f"{quote(value)} is no name: up to 63 of a-z, 0-9 and -, with a letter first and no - at the end."
    )


def _duration(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{quote(value)} is no duration: write one such as 150ms, 15s, 30m or 1h.")
    return _read(parse_duration, str(value))


def _more_than_nothing(seconds: float) -> float:
    if seconds <= 0:
        raise ValueError("must be longer than 0.")
    return seconds


def _pause(value: object) -> float | None:
    return None if value == MANUAL else _duration(value)


def _endpoint(value: object) -> Endpoint:
    if not isinstance(value, str):
        raise ValueError(f"{quote(value)} is no address: write HOST:PORT, such as 127.0.0.1:8080.")
    return _read(Endpoint.parse, value)


def _listener(value: object) -> Endpoint:
    text = str(value) if isinstance(value, str | int) else ""
    return _endpoint(f"{LOOPBACK}:{text}" if re.fullmatch(r"[0-9]{1,5}", text) else value)


def _domain(value: object) -> str:
    lower = value.lower() if isinstance(value, str) else ""
    if len(lower) <= 253 and re.fullmatch(_DOMAIN, lower):
        return lower
    raise ValueError(
        f"{quote(value)} is no domain: write one such as shop.example.com, *.example.com, shop.* or *, "
        "without a port."
    )


def _path(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(_PATH, value):
        raise ValueError(
            f"{quote(value)} is no path: begin with /, printable ASCII, no blank, no ? and no #."
        )
    if _BAD_ESCAPE.search(value):
        raise ValueError(f"{quote(value)} is no path: after % stand two hexadecimal digits, as in %20.")
    if _NOT_NORMAL.search(value):
        raise ValueError(f"{quote(value)} is not in its normal form: write it without //, /./ and /../.")
    return value


def _known_gateway(name: str, info: ValidationInfo) -> str:
    """Asked here already, so that no other mistake in the service can hide it. The context has the names."""
    known: Collection[str] = (info.context or {}).get("gateways", ())
    if name not in known:
        raise ValueError(f"There is no gateway {quote(name)}. Known: {', '.join(sorted(known)) or 'none'}.")
    return name


def _distinct(values: list[Any]) -> list[Any]:
    seen = set()
    for each in values:
        if each in seen:
            raise ValueError(f"{quote(str(each))} stands here twice.")
        seen.add(each)
    return values


_DURATION_SCHEMA: dict[str, Any] = {
    "description": "Such as 150ms, 15s, 30m, 1h; a number is seconds.",
    "anyOf": [{"type": "string", "pattern": _DURATION}, {"type": "number", "minimum": 0}],
}
_PAUSE_SCHEMA: dict[str, Any] = {
    "description": "A duration, or manual: until the next `promote`.",
    "anyOf": [{"const": MANUAL}, *_DURATION_SCHEMA["anyOf"]],
}
_LISTENER_SCHEMA: dict[str, Any] = {
    "description": "IP:PORT; a port alone is on the loopback interface.",
    "anyOf": [
        {"type": "string", "pattern": r"^(.+:)?[0-9]{1,5}$"},
        {"type": "integer", "minimum": 1, "maximum": 65535},
    ],
}

Name = Annotated[str, PlainValidator(_name), WithJsonSchema({"type": "string", "pattern": f"^{NAME}$"})]
GatewayName = Annotated[Name, AfterValidator(_known_gateway)]
Duration = Annotated[float, PlainValidator(_duration), WithJsonSchema(_DURATION_SCHEMA)]
Timespan = Annotated[Duration, AfterValidator(_more_than_nothing)]
Pause = Annotated[float | None, PlainValidator(_pause), WithJsonSchema(_PAUSE_SCHEMA)]
Address = Annotated[
    Endpoint,
    PlainValidator(_endpoint),
    WithJsonSchema({"description": "HOST:PORT", "type": "string", "pattern": _ADDRESS}),
]
Listener = Annotated[Endpoint, PlainValidator(_listener), WithJsonSchema(_LISTENER_SCHEMA)]
Domain = Annotated[str, PlainValidator(_domain), WithJsonSchema({"type": "string", "maxLength": 253})]
UrlPath = Annotated[str, PlainValidator(_path), WithJsonSchema({"type": "string", "pattern": f"^{_PATH}$"})]
Distinct = AfterValidator(_distinct)
