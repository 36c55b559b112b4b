"""Fixtures for the server's tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import grpc
import pytest

from xds_server import NodeIdentity, ProxyState, XdsServer, server_options


def by_cluster(node: NodeIdentity) -> str | None:
    return node.cluster if node.cluster in ("edge", "sidecar") else None


def proxy(server: XdsServer, node_id: str) -> ProxyState:
    """One that is connected."""
    state = server.fleet.get(node_id)
    assert state is not None, f"{node_id} is not connected"
    return state


async def settled(server: XdsServer, holds: Callable[[], bool], timeout: float = 10) -> None:
    """Wait until something is true of the fleet."""
    changed = asyncio.Event()
    stop = server.fleet.on_change(lambda _node: changed.set())
    async with asyncio.timeout(timeout):
        while not holds():
            await changed.wait()
            changed.clear()
    stop()


async def listen(server: XdsServer, port: int = 0) -> tuple[grpc.aio.Server, str]:
    """Serve on loopback; the gRPC server and its HOST:PORT."""
    listening = grpc.aio.server(options=server_options())
    server.add_to(listening)
    port = listening.add_insecure_port(f"127.0.0.1:{port}")
    await listening.start()
    return listening, f"127.0.0.1:{port}"


@pytest.fixture
def server() -> XdsServer:
    server = XdsServer(by_cluster)
    server.start_serving()
    return server


@pytest.fixture
async def address(server: XdsServer) -> AsyncIterator[str]:
    listening, address = await listen(server)
    yield address
    await listening.stop(None)
