"""Client status discovery (row CSDS): what each proxy has of each resource, for whoever asks.

Source: ``envoy.service.status.v3``. SYNCED is said of what was acknowledged, never of what was merely sent.
Contents of secrets are never told.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any, Final

import grpc
from envoy.service.status.v3 import csds_pb2
from google.protobuf.any_pb2 import Any as Packed

from .channel import Channel
from .errors import BadRequest
from .fleet import Fleet
from .resource import Resource
from .session import Session
from .types import SECRET

_NAME: Final = "envoy.service.status.v3.ClientStatusDiscoveryService"


class ClientStatus:
    """Answers ``FetchClientStatus`` and ``StreamClientStatus`` from the fleet."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def handler(self) -> grpc.GenericRpcHandler:
        codec = {
            "request_deserializer": csds_pb2.ClientStatusRequest.FromString,
            "response_serializer": csds_pb2.ClientStatusResponse.SerializeToString,
        }
        methods = {
            "FetchClientStatus": grpc.unary_unary_rpc_method_handler(self._fetch, **codec),
            "StreamClientStatus": grpc.stream_stream_rpc_method_handler(self._stream, **codec),
        }
        return grpc.method_handlers_generic_handler(_NAME, methods)

    async def describe(self, request: Any) -> Any:
        """The answer to one ``ClientStatusRequest``, each proxy as it is when its turn comes. Raises
        BadRequest for a matcher that we cannot judge.
        """
        response = csds_pb2.ClientStatusResponse()
        for stream in list(self._fleet.streams()):
            await asyncio.sleep(0)  # of a large fleet this takes seconds, in which others are served
            if matches(request.node_matchers, stream.session.node.id):
                _describe(
                    response.config.add(), stream.session, with_content=not request.exclude_resource_contents
                )
        return response

    async def _fetch(self, request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        try:
            return await self.describe(request)
        except BadRequest as refused:
            await context.abort(refused.status, str(refused))

    async def _stream(
        self, requests: AsyncIterator[Any], context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[Any]:
        async for request in requests:
            yield await self._fetch(request, context)


def matches(matchers: Iterable[Any], node_id: str) -> bool:
    """Whether any of the ``NodeMatcher`` matches; none at all matches everything."""
    listed = list(matchers)
    return not listed or any(_matches(matcher, node_id) for matcher in listed)


def _matches(matcher: Any, node_id: str) -> bool:
    if matcher.node_metadatas:
        raise BadRequest("node_metadatas cannot be matched: metadata is not kept; match by node_id")
    if not matcher.HasField("node_id"):
        return True
    pattern = matcher.node_id
    kind = pattern.WhichOneof("match_pattern")
    if kind not in ("exact", "prefix", "suffix", "contains"):
        raise BadRequest(f"a node_id can be matched by exact, prefix, suffix or contains, not by {kind}")
    wanted = getattr(pattern, kind)
    if pattern.ignore_case:
        wanted, node_id = wanted.lower(), node_id.lower()
    match kind:
        case "exact":
            return bool(node_id == wanted)
        case "prefix":
            return node_id.startswith(wanted)
        case "suffix":
            return node_id.endswith(wanted)
        case _:
            return wanted in node_id


def _describe(config: Any, session: Session, *, with_content: bool) -> None:
    node = session.node
    config.node.id, config.node.cluster = node.id, node.cluster
    config.node.user_agent_name, config.node.user_agent_version = node.user_agent, node.version
    for type_url, channel in session.channels.items():
        wanted = session.group.view(type_url, channel.subscription)
        for name in {*wanted.names(), *channel.sent.names()}:
            current, sent = wanted.get(name), channel.sent.get(name)
            entry = config.generic_xds_configs.add(type_url=type_url, name=name)
            entry.config_status = _status(channel, name, current, sent)
            if sent is not None:
                entry.version_info = sent.version
                if with_content and type_url != SECRET:
                    entry.xds_config.CopyFrom(Packed(type_url=type_url, value=sent.body))
            if entry.config_status == csds_pb2.ERROR and channel.nack is not None:
                entry.error_state.details = channel.nack.text
                entry.error_state.version_info = sent.version if sent is not None else ""


def _status(channel: Channel, name: str, current: Resource | None, sent: Resource | None) -> int:
    if sent is None:
        return int(csds_pb2.NOT_SENT)
    if name in channel.doubts:
        refused = channel.nack is not None and not any(name in names for names in channel.in_flight.values())
        refused = refused and (bool(channel.in_flight) or not channel.outstanding)
        return int(csds_pb2.ERROR if refused else csds_pb2.STALE)
    if current is None or current.version != sent.version:
        return int(csds_pb2.STALE)
    return int(csds_pb2.SYNCED)
