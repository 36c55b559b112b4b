"""The aggregated service over real gRPC on loopback."""

# ruff: noqa: N802 - the names carry the ids of their rows
from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2

from tests.xds_server.conftest import by_cluster, proxy, settled
from tests.xds_server.resources import route, service
from xds_server import CLUSTER, ROUTE, XdsServer

Request: Any = discovery_pb2.DiscoveryRequest


def first(type_url: str, *names: str, node_id: str = "p1", group: str = "edge") -> Any:
    request = Request(type_url=type_url, resource_names=names)
    request.node.id, request.node.cluster = node_id, group
    request.node.user_agent_build_version.version.major_number = 1
    request.node.user_agent_build_version.version.minor_number = 40
    return request


@pytest.fixture
async def stub(address: str) -> AsyncIterator[ads_pb2_grpc.AggregatedDiscoveryServiceStub]:
    async with grpc.aio.insecure_channel(address) as channel:
        yield ads_pb2_grpc.AggregatedDiscoveryServiceStub(channel)


async def status_of(call: Any) -> tuple[grpc.StatusCode, str]:
    async with asyncio.timeout(10):
        return await call.code(), await call.details()


async def test_NODE_1ST_the_node_comes_once_and_acks_are_counted(server: XdsServer, stub: Any) -> None:
    generation = server.publish("edge", [route("r")])
    call = stub.StreamAggregatedResources()
    await call.write(first(ROUTE, "r"))
    response = await call.read()
    assert [r.type_url for r in response.resources] == [ROUTE]
    await call.write(Request(type_url=ROUTE, resource_names=["r"], response_nonce=response.nonce))
    await settled(server, lambda: proxy(server, "p1").acked_generation(ROUTE) == generation)
    state = proxy(server, "p1")
    assert (state.group, state.client_version, state.streams) == ("edge", "1.40.0", 1)
    assert state.types[ROUTE].acked_version == response.version_info
    generation = server.change("edge", [route("r", a=1)])
    response = await call.read()
    await call.write(Request(type_url=ROUTE, resource_names=["r"], response_nonce=response.nonce))
    await settled(server, lambda: proxy(server, "p1").acked_generation(ROUTE) == generation)
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF
    await settled(server, lambda: "p1" not in server.fleet)


async def test_READY_every_stream_is_refused_before_the_state_is_loaded() -> None:
    server = XdsServer(by_cluster)
    listening = grpc.aio.server()
    server.add_to(listening)
    port = listening.add_insecure_port("127.0.0.1:0")
    await listening.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = ads_pb2_grpc.AggregatedDiscoveryServiceStub(channel)
        code, details = await status_of(stub.StreamAggregatedResources())
        assert code is grpc.StatusCode.UNAVAILABLE
        assert "not loaded" in details
        server.start_serving()
        call = stub.StreamAggregatedResources()
        await call.write(first(CLUSTER))
        code, details = await status_of(call)
        assert code is grpc.StatusCode.UNAVAILABLE
        assert "'edge'" in details
        server.publish("edge", [])
        call = stub.StreamAggregatedResources()
        await call.write(first(CLUSTER))
        assert (await call.read()).type_url == CLUSTER
        call.cancel()
    await listening.stop(None)


async def test_an_unknown_group_is_refused_by_name(server: XdsServer, stub: Any) -> None:
    call = stub.StreamAggregatedResources()
    await call.write(first(CLUSTER, group="nobody"))
    code, details = await status_of(call)
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    assert "nobody" in details


async def test_BADREQ_ends_that_stream_and_harms_no_other(server: XdsServer, stub: Any, address: str) -> None:
    server.publish("edge", [route("r")])
    good = stub.StreamAggregatedResources()
    await good.write(first(ROUTE, "r"))
    await good.read()
    bad = stub.StreamAggregatedResources()
    await bad.write(first("type.googleapis.com/no.Such", node_id="p2"))
    assert (await status_of(bad))[0] is grpc.StatusCode.INVALID_ARGUMENT
    bad = stub.StreamAggregatedResources()
    await bad.write(Request(type_url=ROUTE))
    assert (await status_of(bad))[0] is grpc.StatusCode.INVALID_ARGUMENT
    async with grpc.aio.insecure_channel(address) as channel:
        method = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"
        raw: Any = channel.stream_stream(method)()
        await raw.write(b"\xff\xfe nonsense")
        assert (await status_of(raw))[0] is grpc.StatusCode.INVALID_ARGUMENT
    server.change("edge", [route("r", a=1)])
    assert (await good.read()).type_url == ROUTE
    good.cancel()


async def test_SLOW_a_stalled_proxy_delays_nobody_and_gets_the_newest(
    server: XdsServer, stub: Any, address: str
) -> None:
    big = {f"cluster-{n:05}" + "x" * 200: 1 for n in range(3000)}
    server.publish("edge", [route("r", **big), *service("v1")])
    async with grpc.aio.insecure_channel(
        address, [("grpc.max_receive_message_length", -1), ("grpc.http2.bdp_probe", 0)]
    ) as own:
        stalled = ads_pb2_grpc.AggregatedDiscoveryServiceStub(own).StreamAggregatedResources()
        await stalled.write(first(ROUTE, "r", node_id="stalled"))
        await settled(server, lambda: "stalled" in server.fleet)
        quick = stub.StreamAggregatedResources()
        await quick.write(first(ROUTE, "table"))
        for weight in range(1, 20):
            response = await quick.read()
            await quick.write(
                Request(type_url=ROUTE, resource_names=["table"], response_nonce=response.nonce)
            )
            server.change("edge", [route("r", **big, extra=weight), route("table", v1=weight)])
        quick.cancel()
        assert proxy(server, "stalled").blocked_since is not None
        seen = []
        for _ in range(2):
            response = await stalled.read()
            seen.append(response.version_info)
            await stalled.write(Request(type_url=ROUTE, resource_names=["r"], response_nonce=response.nonce))
        newest = server.generation("edge")
        await settled(server, lambda: proxy(server, "stalled").acked_generation(ROUTE) == newest)
        assert seen[1] == proxy(server, "stalled").types[ROUTE].acked_version
        stalled.cancel()


async def test_STORM_all_that_connect_at_once_are_served(server: XdsServer, address: str) -> None:
    generation = server.publish("edge", [route("r")])

    async def one(number: int) -> None:
        async with grpc.aio.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)]) as own:
            call = ads_pb2_grpc.AggregatedDiscoveryServiceStub(own).StreamAggregatedResources()
            await call.write(first(ROUTE, "r", node_id=f"p{number}"))
            nonce = (await call.read()).nonce
            await call.write(Request(type_url=ROUTE, resource_names=["r"], response_nonce=nonce))
            if number % 2:
                call.cancel()  # some leave as soon as they came
            else:
                await call.done_writing()
                assert await call.read() is grpc.aio.EOF

    acked: set[str] = set()

    def note(node_id: str) -> None:
        state = server.fleet.get(node_id)
        if state is not None and state.acked_generation(ROUTE) == generation:
            acked.add(node_id)

    stop = server.fleet.on_change(note)
    async with asyncio.timeout(60):
        await asyncio.gather(*(one(number) for number in range(200)))
    stop()
    assert len(acked) >= 100
    await settled(server, lambda: len(server.fleet) == 0)


async def test_STORM_short_connections_leave_nothing_behind(server: XdsServer, address: str) -> None:
    big = {f"cluster-{number:05}" + "x" * 200: 1 for number in range(2000)}
    server.publish("edge", [route("r", **big)])

    async def one(number: int) -> None:
        async with grpc.aio.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)]) as own:
            call = ads_pb2_grpc.AggregatedDiscoveryServiceStub(own).StreamAggregatedResources()
            await call.write(first(ROUTE, "r", node_id=f"p{number}"))
            if number % 2:
                call.cancel()

    for wave in range(3):
        await asyncio.gather(*(one(number) for number in range(40)))
        server.change("edge", [route("r", **big, more=wave + 1)])
    await settled(server, lambda: len(server.fleet) == 0)


async def test_BADREQ_a_node_with_a_huge_id_is_refused(server: XdsServer, stub: Any) -> None:
    server.publish("edge", [route("r")])
    call = stub.StreamAggregatedResources()
    await call.write(first(ROUTE, "r", node_id="x" * 5000))
    code, reason = await status_of(call)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "4096" in reason


async def test_BADREQ_the_reason_arrives_though_a_message_is_under_way(server: XdsServer, stub: Any) -> None:
    big = {f"cluster-{number:05}" + "x" * 200: 1 for number in range(5000)}
    server.publish("edge", [route("r", **big)])
    for _ in range(20):
        call = stub.StreamAggregatedResources()
        await call.write(first(ROUTE, "r"))
        await call.write(Request(type_url="unknown"))
        with contextlib.suppress(grpc.aio.AioRpcError):
            while await asyncio.wait_for(call.read(), 10) is not grpc.aio.EOF:
                pass
        code, reason = await status_of(call)
        assert code is grpc.StatusCode.INVALID_ARGUMENT, reason
