"""grpcio's own xDS client follows a weighted shift."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2

from tests.xds_server.conftest import proxy, settled
from tests.xds_server.resources import cluster, endpoints
from xds_server import CLUSTER, ENDPOINT, LISTENER, ROUTE, Resource, XdsServer

CLIENT = Path(__file__).with_name("grpc_client.py")


@pytest.fixture
async def backends() -> AsyncIterator[dict[str, int]]:
    servers, ports = [], {}
    for name in ("v1", "v2"):

        async def who(_request: bytes, _context: object, name: str = name) -> bytes:
            return name.encode()

        handler = grpc.method_handlers_generic_handler(
            "test.Echo", {"Who": grpc.unary_unary_rpc_method_handler(who)}
        )
        backend = grpc.aio.server()
        backend.add_generic_rpc_handlers((handler,))
        ports[name] = backend.add_insecure_port("127.0.0.1:0")
        await backend.start()
        servers.append(backend)
    yield ports
    for backend in servers:
        await backend.stop(None)


def api_listener(name: str, routes: str) -> Resource:
    manager = http_connection_manager_pb2.HttpConnectionManager()
    manager.rds.route_config_name = routes
    manager.rds.config_source.ads.SetInParent()
    manager.http_filters.add(name="router").typed_config.Pack(router_pb2.Router())
    message = listener_pb2.Listener(name=name)
    message.api_listener.api_listener.Pack(manager)
    return Resource.of(message)


def table(**weights: int) -> Resource:
    message = route_pb2.RouteConfiguration(name="table")
    entry = message.virtual_hosts.add(name="all", domains=["*"]).routes.add()
    entry.match.prefix = ""
    for name, weight in weights.items():
        entry.route.weighted_clusters.clusters.add(name=name).weight.value = weight
    return Resource.of(message)


async def test_proxyless_grpc_follows_a_weighted_shift_without_a_failed_call(
    server: XdsServer, address: str, backends: dict[str, int]
) -> None:
    server.publish(
        "edge",
        [
            api_listener("echo", "table"),
            table(v1=100, v2=0),
            *(cluster(name) for name in backends),
            *(endpoints(name, port) for name, port in backends.items()),
        ],
    )
    client = await asyncio.create_subprocess_exec(
        sys.executable,
        str(CLIENT),
        address,
        "echo",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert client.stdin is not None
    answers = client.stdout
    assert answers is not None
    seen: Counter[str] = Counter()

    async def calls(count: int) -> Counter[str]:
        share: Counter[str] = Counter()
        for _ in range(count):
            answer = (await answers.readline()).decode().strip()
            share[answer] += 1
            seen[answer] += 1
        return share

    async def acked(generation: int) -> None:
        def proven() -> bool:
            proxy = server.fleet.get("grpc-client")
            types = (CLUSTER, ENDPOINT, LISTENER, ROUTE)
            return proxy is not None and all((proxy.acked_generation(t) or 0) >= generation for t in types)

        await settled(server, proven)

    try:
        async with asyncio.timeout(60):
            assert await calls(20) == {"v1": 20}
            for percent in (10, 50, 90):
                await acked(server.change("edge", [table(v1=100 - percent, v2=percent)]))
                await calls(300)
            await acked(server.change("edge", [table(v1=0, v2=100)]))
            share = await calls(500)
            assert share["v2"] > 400
            assert set(seen) == {"v1", "v2"}, "no call failed"
            assert proxy(server, "grpc-client").node.user_agent.startswith("gRPC")
    finally:
        client.stdin.close()
        async with asyncio.timeout(10):
            await answers.read()
            await client.wait()
