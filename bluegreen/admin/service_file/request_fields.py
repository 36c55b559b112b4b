"""What requests are made of, as the service file writes it: URLs, paths, methods, headers."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, WithJsonSchema

from bluegreen.admin.service_file.problem import quote
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.errors import InvalidInput
from bluegreen.model.secret import SHOWN, Secret

MAX_BODY = 65_536
"""Characters that a request sends, or an answer is searched for."""

_URL = r"https?://[!-~]{1,2000}"  # printable ASCII, no blank
_TARGET = r'/[!"$-~]{0,2000}'  # a path with or without a query: the same without #
_METHOD = r"[A-Za-z]{1,20}"
_FIELD_NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}"  # RFC 9110, 5.6.2
_FIELD_VALUE = r"[!-~]([ -~\t]{0,8000}[!-~])?"  # RFC 9110, 5.5, without what is not ASCII

_SET_BY_US = {
    "host": "requests have the service's first domain, or the host of the URL",
    "content-length": "it follows from the body",
    "transfer-encoding": "it follows from the body",
}
_OF_THE_CONNECTION = {"connection", "expect", "keep-alive", "proxy-connection", "te", "trailer", "upgrade"}


def _split(value: object, example: str) -> SplitResult:
    """The parts of a URL. No complaint shows one with an `@`: there may be a password in it."""
    shown = "This" if "@" in str(value) else quote(value)
    if not isinstance(value, str) or not re.fullmatch(_URL, value, re.IGNORECASE):
        raise ValueError(f"{shown} is no URL: write one such as {example}, without blanks.")
    try:
        parts = urlsplit(value)
        address = parts.netloc if parts.port is not None else f"{parts.netloc.removesuffix(':')}:80"
        Endpoint.parse(address.rpartition("@")[2])
    except (InvalidInput, ValueError):
        raise ValueError(f"{shown} has no host, or no port, as in {example}.") from None
    if "@" in parts.netloc:
        raise ValueError("must hold no user and no password, which would be shown: write headers instead.")
    if "#" in value:
        raise ValueError("must not have a fragment (#): it is never sent.")
    return parts


def _url(value: object) -> str:
    return _split(value, "https://example.com/hook").geturl()


def _base_url(value: object) -> str:
    parts = _split(value, "http://edge.internal:8080")
    if parts.path not in ("", "/") or "?" in str(value):
        raise ValueError("must end after the host and port: each test has its own path.")
    return f"{parts.scheme}://{parts.netloc}"


def _target(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(_TARGET, value):
        return value
    raise ValueError(f"{quote(value)} is no path: begin with /, printable ASCII, no blank and no #.")


def _method(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(_METHOD, value) and value.upper() != "CONNECT":
        return value.upper()
    raise ValueError(f"{quote(value)} is no method: write one such as GET or POST.")


def _field_name(name: object) -> str:
    if not isinstance(name, str) or not re.fullmatch(_FIELD_NAME, name):
        raise ValueError(f"{quote(name)} is no name of a header.")
    lower = name.lower()  # HTTP knows no case here, and HTTP/2 only lower case
    if lower in _SET_BY_US:
        raise ValueError(f"{name} cannot be set: {_SET_BY_US[lower]}.")
    if lower in _OF_THE_CONNECTION:
        raise ValueError(f"{name} cannot be set: it is about the connection, not about the request.")
    return lower


def _field_value(value: object) -> Secret:
    """No complaint shows the value: it may be a password."""
    if value == SHOWN:
        raise ValueError(f"{SHOWN} stands where the value is not shown: write the value itself.")
    if isinstance(value, str) and re.fullmatch(_FIELD_VALUE, value):
        return Secret(value)
    raise ValueError(
        "must be a text of at most 8000 printable ASCII characters without blanks around it "
        "(in quotes, if it is a number or a truth value)."
    )


def _mapping(value: Any) -> Any:
    if not isinstance(value, dict):
        raise ValueError("must be a mapping such as {authorization: Bearer SECRET}.")
    lower = [str(name).lower() for name in value]
    twice = next((name for index, name in enumerate(lower) if name in lower[:index]), None)
    if twice is not None:
        raise ValueError(f"{quote(twice)} stands here twice: HTTP knows no case in names of headers.")
    return value


def _of_text(pattern: str, **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^({pattern})$", **more})


Url = Annotated[str, PlainValidator(_url), _of_text(_URL)]
BaseUrl = Annotated[str, PlainValidator(_base_url), _of_text(r"https?://[^/?#@\s]{1,2000}/?")]
RequestTarget = Annotated[str, PlainValidator(_target), _of_text(_TARGET)]
Method = Annotated[str, PlainValidator(_method), _of_text(_METHOD)]
Body = Annotated[str, Field(min_length=1, max_length=MAX_BODY)]

_FieldName = Annotated[str, PlainValidator(_field_name), _of_text(_FIELD_NAME)]
_FieldValue = Annotated[Secret, PlainValidator(_field_value), _of_text(_FIELD_VALUE, writeOnly=True)]
Headers = Annotated[dict[_FieldName, _FieldValue], Field(max_length=50), BeforeValidator(_mapping)]


def _no_content_type(headers: dict[str, Secret]) -> dict[str, Secret]:
    if "content-type" in headers:
        raise ValueError("content-type cannot be set: what is sent here has one form only.")
    return headers


CallHeaders = Annotated[Headers, AfterValidator(_no_content_type)]
"""Those of requests that have a body of ours."""
