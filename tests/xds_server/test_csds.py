"""Client status discovery over real gRPC."""

# ruff: noqa: N802 - the names carry the ids of their rows
from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from envoy.service.status.v3 import csds_pb2, csds_pb2_grpc

from tests.xds_server.proxy import DeltaProxy, Proxy
from tests.xds_server.resources import cluster, route
from xds_server import CLUSTER, ROUTE, SECRET, Resource, XdsServer
from xds_server.csds import ClientStatus

STATUS = {0: "UNKNOWN", 1: "SYNCED", 2: "NOT_SENT", 3: "STALE", 4: "ERROR"}


async def ask(address: str, **request: object) -> dict[str, dict[str, str]]:
    async with grpc.aio.insecure_channel(address) as channel:
        stub = csds_pb2_grpc.ClientStatusDiscoveryServiceStub(channel)
        response = await stub.FetchClientStatus(csds_pb2.ClientStatusRequest(**request))
    return {
        config.node.id: {e.name: STATUS[e.config_status] for e in config.generic_xds_configs}
        for config in response.config
    }


@pytest.mark.parametrize("kind", [Proxy, DeltaProxy])
async def test_CSDS_says_synced_only_of_what_was_acknowledged(
    server: XdsServer, address: str, kind: type[Proxy] | type[DeltaProxy]
) -> None:
    server.publish("edge", [route("r"), route("s")])
    proxy = kind(server)
    proxy.ask(ROUTE, "r", "s")
    assert await ask(address) == {"proxy": {"r": "STALE", "s": "STALE"}}
    proxy.ack(ROUTE)
    assert await ask(address) == {"proxy": {"r": "SYNCED", "s": "SYNCED"}}
    server.change("edge", [route("r", a=1)])
    assert await ask(address) == {"proxy": {"r": "STALE", "s": "SYNCED"}}
    proxy.take()
    proxy.nack(ROUTE, "bad table")
    assert await ask(address) == {"proxy": {"r": "ERROR", "s": "SYNCED"}}
    server.change("edge", [route("t")])
    assert "t" not in (await ask(address))["proxy"], "it was not asked for"


async def test_CSDS_error_and_content(server: XdsServer, address: str) -> None:
    server.publish("edge", [route("r"), Resource.of(secret_pb2.Secret(name="key"))])
    proxy = Proxy(server)
    proxy.ask(ROUTE, "r")
    proxy.nack(ROUTE, "bad table")
    proxy.ask(SECRET, "key")
    async with grpc.aio.insecure_channel(address) as channel:
        stub = csds_pb2_grpc.ClientStatusDiscoveryServiceStub(channel)
        call = stub.StreamClientStatus()
        await call.write(csds_pb2.ClientStatusRequest())
        (config,) = (await call.read()).config
        entries = {entry.name: entry for entry in config.generic_xds_configs}
        assert entries["r"].error_state.details == "bad table"
        assert entries["r"].xds_config.value == route("r").body
        assert not entries["key"].HasField("xds_config"), "contents of secrets are never told"
        await call.write(csds_pb2.ClientStatusRequest(exclude_resource_contents=True))
        (config,) = (await call.read()).config
        assert not any(entry.HasField("xds_config") for entry in config.generic_xds_configs)
        call.cancel()


async def test_CSDS_node_matchers(server: XdsServer, address: str) -> None:
    server.publish("edge", [])
    for name in ("edge-1", "edge-2", "other"):
        Proxy(server, id=name).ask(ROUTE, "r")
    matcher: dict[str, Any] = {"node_id": {"prefix": "edge"}}
    assert set(await ask(address, node_matchers=[matcher])) == {"edge-1", "edge-2"}
    matcher = {"node_id": {"exact": "OTHER", "ignore_case": True}}
    assert set(await ask(address, node_matchers=[matcher, {"node_id": {"suffix": "2"}}])) == {
        "edge-2",
        "other",
    }
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ask(address, node_matchers=[{"node_id": {"safe_regex": {"regex": "(a*)*b"}}}])
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_CSDS_not_sent_while_it_is_held_back(server: XdsServer, address: str) -> None:
    server.publish("edge", [cluster("c"), route("r", c=1)])
    proxy = Proxy(server)
    proxy.ask(CLUSTER)
    proxy.ask(ROUTE, "r")
    assert await ask(address) == {"proxy": {"c": "STALE", "r": "NOT_SENT"}}


async def test_CSDS_a_large_fleet_is_described_bit_by_bit(server: XdsServer) -> None:
    """The proxies are served in between."""
    server.publish("edge", [route("r")])
    for number in range(100):
        Proxy(server, id=f"p{number}").ask(ROUTE, "r")
    turns = 0

    async def serve() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    serving = asyncio.create_task(serve())
    response = await ClientStatus(server.fleet).describe(csds_pb2.ClientStatusRequest())
    serving.cancel()
    assert len(response.config) == 100
    assert turns >= 100
