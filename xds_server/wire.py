"""Bytes in, bytes out: discovery requests are parsed here, responses are put together from encoded resources.

Responses are written by hand (three field kinds of the protobuf wire format), because protobuf's own
serializer would copy and re-encode each resource for each response.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum, auto
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from google.protobuf.message import DecodeError

from .errors import BadRequest
from .node import NodeIdentity
from .requests import DeltaDiscoveryRequest, DiscoveryRequest

if TYPE_CHECKING:
    from .resource import Resource


_MAX_FEATURES: Final = 64
_MAX_FEATURE_CHARS: Final = 4_096
_ENVELOPE: Final = "type.googleapis.com/envoy.service.discovery.v3.Resource"


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def bytes_field(number: int, value: bytes, *, head_only: bool = False) -> bytes:
    """A length-delimited field; ``head_only`` leaves the value for the caller to append."""
    head = varint(number << 3 | 2) + varint(len(value))
    return head if head_only else head + value


def string_field(number: int, value: str) -> bytes:
    return bytes_field(number, value.encode())


class Request(NamedTuple):
    """A ``DiscoveryRequest``: subscription, and the answer to the response that ``nonce`` names."""

    type_url: str
    version: str
    nonce: str
    names: tuple[str, ...]
    error: str | None
    node: NodeIdentity | None


class Listed(Protocol):
    """A list of names as a client has written it, and its bytes in a ``DiscoveryRequest``."""

    @property
    def listed(self) -> tuple[str, ...]: ...

    @property
    def encoded(self) -> bytes: ...


def encode_names(names: tuple[str, ...]) -> bytes:
    return bytes(DiscoveryRequest(resource_names=names).SerializeToString())


def parse_request(data: bytes, known: Iterable[Listed] = ()) -> Request:
    """Raises BadRequest for what is no ``DiscoveryRequest``.

    A state-of-the-world client repeats all its names in each ACK: a list that is ``known``, and stands where
    every serializer writes it, is compared as bytes instead of being read.
    """
    names: tuple[str, ...] | None = None
    # The version, field 1, is short.
    start = 2 + data[1] if data[:1] == b"\n" and data[1:2] < b"\x80" and len(data) > 1 else 0
    for each in known:
        if data.startswith(each.encoded, start):
            names, data = each.listed, data[:start] + data[start + len(each.encoded) :]
            break
    try:
        message = DiscoveryRequest.FromString(data)
    except DecodeError as error:
        raise BadRequest(f"not a DiscoveryRequest: {error}") from error
    if message.resource_names or names is None:
        names = (*(names or ()), *message.resource_names)
    return Request(
        message.type_url,
        message.version_info,
        message.response_nonce,
        names,
        _error_text(message),
        _identity(message, returning=bool(message.version_info)),
    )


class DeltaRequest(NamedTuple):
    """A ``DeltaDiscoveryRequest``; ``versions`` are what the client holds from an earlier stream."""

    type_url: str
    nonce: str
    subscribe: tuple[str, ...]
    unsubscribe: tuple[str, ...]
    versions: Mapping[str, str]
    error: str | None
    node: NodeIdentity | None


def parse_delta_request(data: bytes) -> DeltaRequest:
    """Raises BadRequest for what is no ``DeltaDiscoveryRequest``."""
    try:
        message = DeltaDiscoveryRequest.FromString(data)
    except DecodeError as error:
        raise BadRequest(f"not a DeltaDiscoveryRequest: {error}") from error
    return DeltaRequest(
        message.type_url,
        message.response_nonce,
        tuple(message.resource_names_subscribe),
        tuple(message.resource_names_unsubscribe),
        dict(message.initial_resource_versions),
        _error_text(message),
        _identity(message, returning=bool(message.initial_resource_versions)),
    )


def _features(listed: tuple[str, ...]) -> frozenset[str]:
    """One set for all clients of one kind; of a long list nothing is kept."""
    if len(listed) > _MAX_FEATURES or sum(map(len, listed)) > _MAX_FEATURE_CHARS:
        return frozenset()
    return _feature_set(listed)


@lru_cache
def _feature_set(listed: tuple[str, ...]) -> frozenset[str]:
    return frozenset(listed)


def _error_text(message: Any) -> str | None:
    return (message.error_detail.message or "no reason given") if message.HasField("error_detail") else None


def _identity(message: Any, *, returning: bool) -> NodeIdentity | None:
    if not message.HasField("node"):
        return None
    node = message.node
    build = node.user_agent_build_version.version
    version = (
        f"{build.major_number}.{build.minor_number}.{build.patch}"
        if node.HasField("user_agent_build_version")
        else node.user_agent_version
    )
    return NodeIdentity(
        node.id,
        node.cluster,
        version,
        node.user_agent_name,
        _features(tuple(node.client_features)),
        returning,
    )


class Form(Enum):
    """How a response is written."""

    SOTW = auto()
    SOTW_TTL = auto()
    """Resources with a time to live are wrapped, for clients that announce that they understand it."""
    SOTW_BEAT = auto()
    """Only the wrappers: what the client has lives on."""
    DELTA = auto()
    DELTA_TTL = auto()
    DELTA_BEAT = auto()


class Content(Protocol):
    """What a response is made of."""

    @property
    def version(self) -> str: ...

    def get(self, name: str) -> Resource | None: ...

    def __iter__(self) -> Iterator[Resource]: ...


def encode(type_url: str, content: Content, names: frozenset[str] | None, form: Form) -> bytes:
    """A response all but its nonce, which ``with_nonce`` appends; ``names`` None means everything."""
    delta = form in (Form.DELTA, Form.DELTA_TTL, Form.DELTA_BEAT)
    parts = [string_field(1, content.version), string_field(4, type_url)]
    if names is None:
        for resource in content:
            _append(parts, resource, form)
    else:
        for name in sorted(names):
            found = content.get(name)
            if found is not None:
                _append(parts, found, form)
            elif delta:
                parts.append(string_field(6, name))
    return b"".join(parts)


def _append(parts: list[bytes], resource: Resource, form: Form) -> None:
    match form:
        case Form.SOTW:
            _append_packed(parts, resource)
        case Form.SOTW_TTL if resource.ttl is None:
            _append_packed(parts, resource)
        case Form.SOTW_TTL:
            parts.append(bytes_field(2, _wrapped(_envelope(resource, ttl=True, body=True))))
        case Form.SOTW_BEAT:
            parts.append(bytes_field(2, _wrapped(_envelope(resource, ttl=True, body=False))))
        case Form.DELTA | Form.DELTA_TTL:
            parts.append(bytes_field(2, _envelope(resource, ttl=form is Form.DELTA_TTL, body=True)))
        case Form.DELTA_BEAT:
            parts.append(bytes_field(2, _envelope(resource, ttl=True, body=False)))


def _append_packed(parts: list[bytes], resource: Resource) -> None:
    head = resource.packed_head
    parts += (b"\x12", varint(len(head) + len(resource.body)), head, resource.body)


def _envelope(resource: Resource, *, ttl: bool, body: bool) -> bytes:
    """An ``envoy.service.discovery.v3.Resource``."""
    parts = [string_field(1, resource.version), string_field(3, resource.name)]
    if body:
        size = len(resource.packed_head) + len(resource.body)
        parts += (b"\x12", varint(size), resource.packed_head, resource.body)
    if ttl and resource.ttl is not None:
        seconds, rest = divmod(round(resource.ttl * 1e9), 10**9)
        parts.append(bytes_field(6, b"\x08" + varint(seconds) + b"\x10" + varint(rest)))
    return b"".join(parts)


def _wrapped(envelope: bytes) -> bytes:
    return string_field(1, _ENVELOPE) + bytes_field(2, envelope)


def with_nonce(head: bytes, nonce: str) -> bytes:
    """Both kinds of response keep their nonce in field 5; fields may come in any order."""
    return head + string_field(5, nonce)
