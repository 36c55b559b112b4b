"""Row BADREQ: what one client says does not stay in memory when it has left."""

# ruff: noqa: N802 - the names carry the ids of their rows
from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from envoy.config.core.v3 import base_pb2
from envoy.service.discovery.v3 import discovery_pb2

from tests.xds_server.proxy import DeltaProxy, Proxy
from tests.xds_server.resources import cluster, route
from xds_server import CLUSTER, ENDPOINT, XdsServer
from xds_server.subscription import _known
from xds_server.wire import parse_request

MIB = 1024 * 1024


def growth(each: Callable[[int], None], times: int) -> int:
    """Bytes that are kept after ``each`` was done so often."""
    each(-1)
    gc.collect()
    tracemalloc.start()
    try:
        for number in range(times):
            each(number)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def test_BADREQ_long_lists_of_features_are_not_kept() -> None:
    def introduce(number: int) -> None:
        node = base_pb2.Node(id="p", client_features=[f"{number}" + "f" * MIB])
        parse_request(discovery_pb2.DiscoveryRequest(node=node).SerializeToString())

    assert growth(introduce, 20) < MIB


def test_BADREQ_a_version_that_was_never_ours_is_not_kept(server: XdsServer) -> None:
    server.publish("edge", [cluster("a")])

    def claim(number: int) -> None:
        proxy = Proxy(server, id=f"p{number}")
        proxy.accepted[CLUSTER] = f"{number}" + "v" * MIB
        assert proxy.ask(CLUSTER) == ["CDS a"]
        proxy.leave()

    assert growth(claim, 20) < MIB


@pytest.mark.parametrize("kind", [Proxy, DeltaProxy])
def test_BADREQ_what_clients_asked_for_that_left_is_not_kept_for_ever(
    server: XdsServer, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is computed once for all who are in step is kept while it is little."""
    monkeypatch.setattr("xds_server.group._MEMO_NAMES", 5_000)
    server.publish("edge", [cluster("a")])
    for number in range(60):
        proxy = kind(server, id=f"p{number}")
        proxy.ask(ENDPOINT, *(f"hostile-{number}-{name}" for name in range(100)))
        proxy.leave()
    del proxy
    left = [names for _wildcard, names in tuple(_known) if "hostile" in next(iter(names), "")]
    assert sum(map(len, left)) <= 5_000


async def test_BADREQ_a_node_that_says_too_much_of_itself_is_refused(server: XdsServer, address: str) -> None:
    server.publish("edge", [cluster("a")])
    request = discovery_pb2.DiscoveryRequest(type_url=CLUSTER)
    request.node.id, request.node.cluster = "p", "edge"
    request.node.user_agent_name = "u" * 5_000
    async with grpc.aio.insecure_channel(address) as channel, asyncio.timeout(10):
        call: Any = channel.stream_stream(
            "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"
        )()
        await call.write(request.SerializeToString())
        assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_watcher_may_end_itself(server: XdsServer) -> None:
    server.publish("edge", [route("table")])
    heard: list[str] = []

    def once(_node: str) -> None:
        heard.append("once")
        stop()

    stop = server.fleet.on_change(once)
    stop_other = server.fleet.on_change(lambda _node: heard.append("other"))
    proxy = Proxy(server)
    assert heard == ["once", "other"], "the one after it is told, too"
    stop()  # to end it again does no harm
    proxy.leave()
    assert heard == ["once", "other", "other"]
    stop_other()
