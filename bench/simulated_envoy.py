"""A proxy that does what an Envoy does, on one connection: it follows ADS (state of the world), reports its
statistics to the Metrics Service, and serves nobody."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import grpc
from envoy.config.endpoint.v3 import endpoint_pb2
from envoy.service.discovery.v3 import discovery_pb2

from bench.fleet import CDS, CHANNEL, EDS, LDS, METHOD, RDS, node_bytes, request
from bench.flushes import GATEWAY, flush, identifier
from bluegreen.switches.envoy.names import (
    ClusterName,
    cluster_name,
    preview_route_table_name,
    route_table_name,
)

METRICS = "/envoy.service.metrics.v3.MetricsService/StreamMetrics"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the proxies of a fleet have in common. `interval`: seconds between two flushes. `reported`: the
    services of which they report; None: of all."""

    address: str
    interval: float
    reported: frozenset[str] | None = None


class SimulatedEnvoy:
    """`moved(version, at)` is told of each acknowledgement of routes, in monotonic seconds; `flushed(bytes)`
    of each flush."""

    def __init__(
        self, plan: Plan, number: int, moved: Callable[[str, float], None], flushed: Callable[[int], None]
    ) -> None:
        self._plan, self._number = plan, number
        self._moved, self._flushed = moved, flushed
        self._tables = (route_table_name(GATEWAY), preview_route_table_name(GATEWAY))
        self._state: dict[str, tuple[str, str]] = {}  # by type: version and nonce last acknowledged
        self._clusters: tuple[str, ...] = ()
        self._endpoints: tuple[str, ...] = ()  # the resources that the clusters lead to
        self._instances: dict[str, int] = {}
        self._clusters_withheld: tuple[str, str] | None = None
        self._call: Any = None

    async def run(self, first_flush_after: float) -> None:
        """Until cancelled, or refused: then it raises grpc.aio.AioRpcError."""
        async with grpc.aio.insecure_channel(self._plan.address, CHANNEL) as channel:
            self._call = channel.stream_stream(METHOD)(wait_for_ready=True)
            node = node_bytes(self._number)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow(node))
                group.create_task(self._report(channel, identifier(node), first_flush_after))

    async def _report(self, channel: grpc.aio.Channel, identifier: bytes, after: float) -> None:
        await asyncio.sleep(after)
        stream = channel.stream_unary(METRICS)(wait_for_ready=True)
        begun, head = time.monotonic(), identifier
        for number in range(1, 1 << 62):
            message = head + flush(self._reported())
            await stream.write(message)
            self._flushed(len(message))
            head = b""
            await asyncio.sleep(max(0.0, begun + number * self._plan.interval - time.monotonic()))

    def _reported(self) -> tuple[tuple[str, int], ...]:
        wanted = self._plan.reported
        return tuple(
            (str(name), self._instances[endpoints])
            for name, endpoints in map(_parsed, self._clusters)
            if endpoints in self._instances and (wanted is None or name.service in wanted)
        )

    async def _follow(self, node: bytes) -> None:
        await self._call.write(node + request(CDS, ()))
        while (data := await self._call.read()) is not grpc.aio.EOF:
            response = discovery_pb2.DiscoveryResponse.FromString(data)
            state = (response.version_info, response.nonce)
            match response.type_url:
                case str(kind) if kind == CDS:
                    await self._take_clusters(response, state)
                case str(kind) if kind == EDS:
                    await self._take_endpoints(response, state)
                case str(kind) if kind == LDS:
                    await self._acknowledge(LDS, (), state)
                    if RDS not in self._state:
                        await self._ask(RDS, self._tables)
                case _:
                    await self._acknowledge(RDS, self._tables, state)
                    self._moved(response.version_info, time.monotonic())

    async def _take_clusters(self, response: Any, state: tuple[str, str]) -> None:
        names = tuple(_name(packed.value) for packed in response.resources)
        self._clusters_withheld = state
        if names != self._clusters:
            self._clusters, before = names, self._endpoints
            self._endpoints = tuple(sorted({endpoints for _, endpoints in map(_parsed, names)}))
            if self._endpoints not in ((), before):
                await self._ask(EDS, self._endpoints)
        await self._acknowledge_warmed()

    async def _take_endpoints(self, response: Any, state: tuple[str, str]) -> None:
        for packed in response.resources:
            name, instances = _assignment(packed.value)
            self._instances[name] = instances
        await self._acknowledge(EDS, self._endpoints, state)
        await self._acknowledge_warmed()

    async def _acknowledge_warmed(self) -> None:
        """An Envoy acknowledges its clusters once all have warmed, for which they need their endpoints."""
        if self._clusters_withheld is None or not self._instances.keys() >= set(self._endpoints):
            return
        state, self._clusters_withheld = self._clusters_withheld, None
        await self._acknowledge(CDS, (), state)
        if LDS not in self._state:
            await self._ask(LDS, ())

    async def _ask(self, type_url: str, names: tuple[str, ...]) -> None:
        state = self._state.setdefault(type_url, ("", ""))
        await self._call.write(request(type_url, names, *state))

    async def _acknowledge(self, type_url: str, names: tuple[str, ...], state: tuple[str, str]) -> None:
        self._state[type_url] = state
        await self._call.write(request(type_url, names, *state))


@lru_cache(maxsize=100_000)
def _parsed(cluster: str) -> tuple[ClusterName, str]:
    """A cluster and the name of its endpoints, which it shares with its twins."""
    name = ClusterName.parse(cluster)
    if name is None:
        raise ValueError(f"{cluster} is no cluster of ours")
    return name, cluster_name(name.service, name.revision)


def _name(cluster: bytes) -> str:
    """The name of a cluster, shorter than 128 bytes: its first field."""
    return cluster[2 : 2 + cluster[1]].decode()


@lru_cache(maxsize=100_000)
def _assignment(value: bytes) -> tuple[str, int]:
    message = endpoint_pb2.ClusterLoadAssignment.FromString(value)
    return message.cluster_name, sum(len(locality.lb_endpoints) for locality in message.endpoints)
