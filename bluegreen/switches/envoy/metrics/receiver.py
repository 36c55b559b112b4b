"""The gRPC side: Envoy's Metrics Service, one stream per proxy.

Source: envoy.service.metrics.v3.MetricsService; MetricsServiceConfig in Envoy's configuration reference.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Sequence
from typing import Any

import grpc

from bluegreen.switches.envoy.metrics.fleet_statistics import FleetStatistics
from bluegreen.switches.envoy.metrics.sample import Sample
from bluegreen.switches.envoy.metrics.samples import samples
from bluegreen.switches.envoy.metrics.v1.metrics_service_pb2 import (
    MetricFamily,
    StreamMetricsMessage,
    StreamMetricsResponse,
)

SERVICE = "envoy.service.metrics.v3.MetricsService"
MAXIMUM_NAME = 253
"""Characters of a node's id or cluster."""

AT_ONCE = 1_000
"""Figures that are read before others on the event loop get their turn; some milliseconds."""

log = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]


class MetricsReceiver:
    """Takes in what proxies of known gateways report. `is_gateway` says which those are."""

    def __init__(
        self, statistics: FleetStatistics, is_gateway: Callable[[str], bool], now: Callable[[], float]
    ) -> None:
        self._statistics, self._is_gateway, self._now = statistics, is_gateway, now
        self._streams = itertools.count()

    def add_to(self, server: grpc.aio.Server) -> None:
        method = grpc.stream_unary_rpc_method_handler(
            self._stream_metrics,
            request_deserializer=StreamMetricsMessage.FromString,
            response_serializer=StreamMetricsResponse.SerializeToString,
        )
        handler = grpc.method_handlers_generic_handler(SERVICE, {"StreamMetrics": method})
        server.add_generic_rpc_handlers((handler,))

    async def _stream_metrics(self, messages: Any, context: Context) -> StreamMetricsResponse:
        proxy = gateway = ""
        stream = next(self._streams)
        async for message in messages:
            if message.HasField("identifier"):
                proxy, gateway = message.identifier.node.id, message.identifier.node.cluster
                if not proxy or max(len(proxy), len(gateway)) > MAXIMUM_NAME:
                    await context.abort(
                        grpc.StatusCode.INVALID_ARGUMENT, "The node's id is empty or too long."
                    )
                if not self._is_gateway(gateway):
                    await context.abort(
                        grpc.StatusCode.FAILED_PRECONDITION, f"There is no gateway {gateway!r} here."
                    )
            elif not proxy:
                await context.abort(
                    grpc.StatusCode.INVALID_ARGUMENT, "The first message of a stream must name the node."
                )
            arrived = self._now()
            self._statistics.namesakes.note(proxy, stream, arrived)
            self._statistics.report(proxy, gateway, arrived, await _samples(message.envoy_metrics))
        return StreamMetricsResponse()


async def _samples(families: Sequence[MetricFamily]) -> list[Sample]:
    """Read a report without keeping others waiting: that of a gateway with a thousand services has tens of
    thousands of figures."""
    read: list[Sample] = []
    for begin in range(0, len(families), AT_ONCE):
        if begin:
            await asyncio.sleep(0)
        read += samples(families[begin : begin + AT_ONCE])
    return read
