"""Bytes in, bytes out: discovery requests are parsed here, responses are put together from encoded resources.

Responses are written by hand (three field kinds of the protobuf wire format), because protobuf's own
serializer would copy and re-encode each resource for each response.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf.message import DecodeError

from .errors import BadRequest
from .node import NodeIdentity

if TYPE_CHECKING:
    from .resource import Resource


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


@dataclass(frozen=True, slots=True)
class Request:
    """A ``DiscoveryRequest``: subscription, and the answer to the response that ``nonce`` names."""

    type_url: str
    version: str
    nonce: str
    names: tuple[str, ...]
    error: str | None
    node: NodeIdentity | None


def parse_request(data: bytes) -> Request:
    """Raises BadRequest for what is no ``DiscoveryRequest``."""
    try:
        message = discovery_pb2.DiscoveryRequest.FromString(data)
    except DecodeError as error:
        raise BadRequest(f"not a DiscoveryRequest: {error}") from error
    return Request(
        message.type_url,
        message.version_info,
        message.response_nonce,
        tuple(message.resource_names),
        _error_text(message),
        _identity(message),
    )


def _error_text(message: Any) -> str | None:
    return (message.error_detail.message or "no reason given") if message.HasField("error_detail") else None


def _identity(message: Any) -> NodeIdentity | None:
    if not message.HasField("node"):
        return None
    node = message.node
    build = node.user_agent_build_version.version
    version = (
        f"{build.major_number}.{build.minor_number}.{build.patch}"
        if node.HasField("user_agent_build_version")
        else node.user_agent_version
    )
    return NodeIdentity(node.id, node.cluster, version, node.user_agent_name, frozenset(node.client_features))


def response_head(version: str, type_url: str, resources: Iterable[Resource]) -> bytes:
    """A ``DiscoveryResponse`` all but its nonce, which ``with_nonce`` appends."""
    parts = [string_field(1, version)]
    for resource in resources:
        head = resource.packed_head
        parts += (b"\x12", varint(len(head) + len(resource.body)), head, resource.body)
    parts.append(string_field(4, type_url))
    return b"".join(parts)


def with_nonce(head: bytes, nonce: str) -> bytes:
    """Both kinds of response keep their nonce in field 5; fields may come in any order."""
    return head + string_field(5, nonce)
