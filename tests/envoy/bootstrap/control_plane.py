"""The least control plane that an Envoy starts with: answers each type once, and listens to statistics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
from envoy.service.discovery.v3.discovery_pb2 import DiscoveryRequest, DiscoveryResponse
from google.protobuf.any_pb2 import Any as AnyMessage

from bluegreen.switches.envoy.metrics.v1.metrics_service_pb2 import (
    MetricFamily,
    StreamMetricsMessage,
    StreamMetricsResponse,
)

ADS = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"
METRICS = "/envoy.service.metrics.v3.MetricsService/StreamMetrics"

Labels = tuple[tuple[str, str], ...]
Series = dict[tuple[str, Labels], MetricFamily]


class ControlPlane(grpc.GenericRpcHandler):
    """`resources` by type URL. Statistics of the newest flush are in `series`, by name and labels."""

    def __init__(self, resources: Mapping[str, list[AnyMessage]]) -> None:
        self.port = 0
        self.series: Series = {}
        self.node: tuple[str, str] | None = None
        self.flush_bytes = 0
        self.rejected: list[str] = []
        self._resources = resources
        self._flushed = asyncio.Condition()

    async def until(self, satisfied: Callable[[Series], bool]) -> Series:
        """The first flush that satisfies; within ten seconds."""
        async with asyncio.timeout(10), self._flushed:
            await self._flushed.wait_for(lambda: satisfied(self.series))
            return self.series

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        match handler_call_details.method:
            case str(method) if method == ADS:
                return grpc.stream_stream_rpc_method_handler(
                    self._discover, DiscoveryRequest.FromString, DiscoveryResponse.SerializeToString
                )
            case str(method) if method == METRICS:
                return grpc.stream_unary_rpc_method_handler(
                    self._receive, StreamMetricsMessage.FromString, StreamMetricsResponse.SerializeToString
                )
        return None

    async def _discover(self, requests: AsyncIterator[Any], _: object) -> AsyncIterator[Any]:
        answered: dict[str, set[str]] = {}
        async for request in requests:
            if request.HasField("error_detail"):
                self.rejected.append(request.error_detail.message)
            names = set(request.resource_names)
            if answered.get(request.type_url) != names:
                answered[request.type_url] = names
                resources = self._resources.get(request.type_url, [])
                yield DiscoveryResponse(
                    version_info="1", nonce="1", type_url=request.type_url, resources=resources
                )

    async def _receive(
        self, messages: AsyncIterator[StreamMetricsMessage], _: object
    ) -> StreamMetricsResponse:
        async for message in messages:
            if message.HasField("identifier"):
                self.node = (message.identifier.node.id, message.identifier.node.cluster)
            async with self._flushed:
                self.flush_bytes = sum(family.ByteSize() for family in message.envoy_metrics)
                self.series = {
                    (family.name, tuple(sorted((each.name, each.value) for each in metric.label))): family
                    for family in message.envoy_metrics
                    for metric in family.metric
                }
                self._flushed.notify_all()
        return StreamMetricsResponse()


@asynccontextmanager
async def control_plane(resources: Mapping[str, list[AnyMessage]]) -> AsyncIterator[ControlPlane]:
    plane = ControlPlane(resources)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((plane,))
    plane.port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield plane
    finally:
        await server.stop(None)
