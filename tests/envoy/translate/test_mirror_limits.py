"""What a candidate that takes nothing can do to the requests that are copied to it: nothing."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from pathlib import Path

import pytest

from bluegreen.model.service import Protocol, Upstream
from bluegreen.model.steering import Mirror, MirroredMethods
from bluegreen.model.traffic import ServiceTraffic
from bluegreen.switches.envoy.translate.clusters import MAX_COPIES
from bluegreen.switches.envoy.translate.mirrors import LARGEST_COPY
from tests.envoy.translate.samples import backend, service
from tests.envoy.translate.test_real_envoy import serving
from tests.support.fixtures import StartApplication, StartEnvoy, StartHttp2Upstream

HOST = "shop.example.com"
# SETTINGS with the largest window of a stream, and a WINDOW_UPDATE to the largest of the connection.
READS_EVERYTHING = bytes.fromhex("000006040000000000 00047fffffff 000004080000000000 7fff0000")

Instance = Callable[[Protocol], AbstractAsyncContextManager[str]]


@asynccontextmanager
async def frozen(protocol: Protocol) -> AsyncIterator[str]:
    """An instance that takes connections, over HTTP/2 promises to read everything, and reads nothing; its
    HOST:PORT."""
    taken: list[asyncio.StreamWriter] = []

    def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(writer)
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is a socket's
        if protocol is Protocol.HTTP2:
            writer.write(READS_EVERYTHING)

    server = await asyncio.start_server(take, "127.0.0.1", 0, backlog=2048)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for writer in taken:
            writer.transport.abort()


@asynccontextmanager
async def unreachable(_: Protocol) -> AsyncIterator[str]:
    """An instance that answers no SYN, since its queue is full; its HOST:PORT."""
    with ExitStack() as held:
        server = held.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield f"127.0.0.1:{server.getsockname()[1]}"


async def in_pieces() -> AsyncIterator[bytes]:
    """A body that does not arrive at once."""
    for _ in range(4):
        yield b"x" * (LARGEST_COPY // 4)
        await asyncio.sleep(0.001)


def mirrored(active: str, candidate: str, protocol: Protocol = Protocol.HTTP1) -> ServiceTraffic:
    of = service(
        mirror=Mirror(100, MirroredMethods.ALL), health_check=None, upstream=Upstream(protocol=protocol)
    )
    both = (backend(1, active, weight=100, of=of), backend(2, candidate, of=of))
    return ServiceTraffic(of, both, candidate=2)


@pytest.mark.parametrize("instance", [frozen, unreachable])
@pytest.mark.parametrize("protocol", [Protocol.HTTP1, Protocol.HTTP2])
async def test_nobody_waits_for_a_body_to_be_copied(
    *,
    instance: Instance,
    protocol: Protocol,
    application: StartApplication,
    http2_upstream: StartHttp2Upstream,
    envoy: StartEnvoy,
    tmp_path: Path,
) -> None:
    http2 = protocol is Protocol.HTTP2
    active = await http2_upstream("v1") if http2 else (await application("v1")).address
    async with (
        instance(protocol) as candidate,
        serving(envoy, tmp_path, mirrored(active, candidate, protocol)) as client,
    ):
        length = {"content-length": str(LARGEST_COPY)}
        async with asyncio.timeout(10):
            for _ in range(10):
                asked = (client.ask("/", HOST, method="POST", body=in_pieces(), **length) for _ in range(50))
                assert set(await asyncio.gather(*asked)) == {(200, "v1")}
        figures = await client.proxy.admin.stats(r"cluster\.bluegreen/shop/2/mirror\.upstream_cx_total")
        assert figures["cluster.bluegreen/shop/2/mirror.upstream_cx_total"] > 0


async def test_copies_beyond_the_limit_are_dropped(
    application: StartApplication, envoy: StartEnvoy, tmp_path: Path
) -> None:
    active = (await application("v1")).address
    async with (
        frozen(Protocol.HTTP1) as candidate,
        serving(envoy, tmp_path, mirrored(active, candidate)) as client,
    ):
        answers = await asyncio.gather(*(client.ask("/", HOST) for _ in range(MAX_COPIES + 300)))
        assert set(answers) == {(200, "v1")}
        figures = await client.proxy.admin.stats(r"cluster\.bluegreen/shop/2/mirror\.upstream_rq_active")
        assert figures["cluster.bluegreen/shop/2/mirror.upstream_rq_active"] == MAX_COPIES
