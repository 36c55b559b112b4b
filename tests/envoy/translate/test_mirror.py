"""A real Envoy copies requests to the candidate, and serves them as if it did not."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from io import BytesIO
from pathlib import Path

import pytest

from bluegreen.model.service import Route, Service
from bluegreen.model.steering import Mirror, MirroredMethods
from bluegreen.model.traffic import ServiceTraffic
from bluegreen.switches.envoy.translate.mirrors import LARGEST_COPY
from tests.envoy.translate.samples import MANUAL, backend, service
from tests.envoy.translate.test_real_envoy import serving
from tests.support.fixtures import StartApplication, StartEnvoy

HOST = "shop.example.com"
ALL = MirroredMethods.ALL


class Manner(Enum):
    """How a candidate treats what it is sent."""

    ANSWERS = auto()
    HANGS = auto()  # reads no more than the head, and says nothing
    RESETS = auto()


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as the candidate got it."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Candidate:
    """A version that keeps what it is sent; `arrived` is set with each request."""

    address: str = ""
    seen: list[Seen] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def have(self, count: int) -> list[Seen]:
        """All that arrived, once it is as much as this."""
        async with asyncio.timeout(5):
            while len(self.seen) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return self.seen


@asynccontextmanager
async def candidate(manner: Manner = Manner.ANSWERS) -> AsyncIterator[Candidate]:
    made, over = Candidate(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the proxy has closed the connection
        finally:
            writer.close()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *lines = head.strip().split("\r\n")
        headers = dict(re.split(": ?", each, maxsplit=1) for each in lines)
        length = int(headers.get("content-length", 0)) if manner is Manner.ANSWERS else 0
        made.seen.append(Seen(line, headers, await reader.readexactly(length)))
        made.arrived.set()
        if manner is Manner.HANGS:
            await over.wait()
            return False
        if manner is Manner.RESETS:
            raw: socket.socket = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        writer.write(b"HTTP/1.1 200 OK\r\nx-version: v2\r\ncontent-length: 0\r\n\r\n")
        return True

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        made.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield made
        over.set()


def mirrored(of: Service, active: str, to: Candidate, weight: int = 0) -> ServiceTraffic:
    both = (backend(1, active, weight=100 - weight, of=of), backend(2, to.address, weight=weight, of=of))
    return ServiceTraffic(of, both, preview=2, candidate=2)


async def test_a_copy_is_the_same_request_with_a_mark(
    application: StartApplication, envoy: StartEnvoy, tmp_path: Path
) -> None:
    of = service(mirror=Mirror(100), routes=(Route("/"), Route("/live", websocket=True)))
    app = await application("v1")
    async with candidate() as to, serving(envoy, tmp_path, mirrored(of, app.address, to)) as client:
        assert await client.ask("/live/x", HOST) == (200, "v1"), "what may become a WebSocket is not copied"
        assert await client.ask("/a?b=c", HOST, method="POST") == (200, "v1"), "nor what may write"
        assert await client.ask("/a?b=c", HOST, **{"x-user": "me"}) == (200, "v1")
        (copy,) = await to.have(1)
        assert copy.line == "GET /a?b=c HTTP/1.1"
        assert copy.headers["host"] == HOST
        assert copy.headers["x-user"] == "me"
        assert copy.headers["x-bluegreen-mirrored"] == "true"
        figures = await client.proxy.admin.stats(r"^cluster\..*upstream_rq_total")
        assert figures["cluster.bluegreen/shop/2/mirror.upstream_rq_total"] == 1
        assert figures["cluster.bluegreen/shop/2.upstream_rq_total"] == 0


async def test_other_methods_are_copied_whole_where_that_is_wanted(
    application: StartApplication, envoy: StartEnvoy, tmp_path: Path
) -> None:
    of = service(mirror=Mirror(100, ALL), manual_routing=MANUAL)
    app = await application("v1")
    async with candidate() as to, serving(envoy, tmp_path, mirrored(of, app.address, to)) as client:
        for body in (b"", b"0" * LARGEST_COPY, b"0" * (LARGEST_COPY + 1)):
            assert await client.ask("/", HOST, method="POST", body=body) == (200, "v1")
        assert await client.ask("/", HOST, body=b"0" * (LARGEST_COPY + 1)) == (200, "v1")
        assert [len(each.body) for each in await to.have(2)] == [0, LARGEST_COPY]
        chosen = {MANUAL.header: MANUAL.value.value}
        assert await client.ask("/chosen", HOST, **chosen) == (200, "v2")
        await client.ask("/last", HOST)
        lines = [each.line for each in await to.have(4)]
        assert lines[2:] == ["GET /chosen HTTP/1.1", "GET /last HTTP/1.1"], "who is chosen, once and no copy"


@pytest.mark.parametrize("manner", [Manner.HANGS, Manner.RESETS])
@pytest.mark.parametrize("methods", list(MirroredMethods))
async def test_a_candidate_that_fails_neither_fails_nor_delays_a_request(
    *,
    manner: Manner,
    methods: MirroredMethods,
    application: StartApplication,
    envoy: StartEnvoy,
    tmp_path: Path,
) -> None:
    of = service(mirror=Mirror(100, methods))
    app = await application("v1")
    async with candidate(manner) as to, serving(envoy, tmp_path, mirrored(of, app.address, to)) as client:
        before = time.monotonic()
        for method in ("GET", "POST"):
            answers = await asyncio.gather(*(client.ask("/", HOST, method=method) for _ in range(100)))
            assert set(answers) == {(200, "v1")}
        assert time.monotonic() - before < 5
        assert len(await to.have(100)) >= 100


@pytest.mark.parametrize("size", [LARGEST_COPY, 20_000_000])
async def test_a_candidate_that_does_not_read_holds_up_no_large_request(
    *, size: int, envoy: StartEnvoy, tmp_path: Path
) -> None:
    of = service(mirror=Mirror(100, ALL))
    async with (
        candidate() as active,
        candidate(Manner.HANGS) as to,
        serving(envoy, tmp_path, mirrored(of, active.address, to)) as client,
    ):
        asked = (client.ask("/", HOST, method="POST", body=BytesIO(b"x" * size)) for _ in range(20))
        async with asyncio.timeout(10):
            answers = await asyncio.gather(*asked)
        assert {status for status, _ in answers} == {200}


@pytest.mark.parametrize("weight", [10, 50, 90])
async def test_copies_are_made_of_the_requests_of_both_sides_alike(
    *, weight: int, application: StartApplication, envoy: StartEnvoy, tmp_path: Path
) -> None:
    """Envoy's chance to copy and its choice of a side must not be the same chance."""
    of = service(mirror=Mirror(20))
    app = await application("v1")
    async with candidate() as to:
        # The candidate on blue: its stretch of the range begins at 0, as that of the copies does.
        both = (
            backend(1, to.address, weight=weight, of=of),
            backend(2, app.address, weight=100 - weight, of=of),
        )
        wanted = ServiceTraffic(of, both, preview=1, candidate=1)
        async with serving(envoy, tmp_path, wanted) as client:
            answers = [await client.ask(f"/{number}", HOST) for number in range(1000)]
            figures = await client.proxy.admin.stats(r"^cluster\.bluegreen/shop/1.*upstream_rq_total")
            await to.have(sum(figures.values()))
            by_candidate = {
                f"GET /{number} HTTP/1.1" for number, (_, version) in enumerate(answers) if version == "v2"
            }
            copies = [each.line for each in to.seen if "x-bluegreen-mirrored" in each.headers]
            assert 120 < len(copies) < 280
            of_candidate = sum(line in by_candidate for line in copies) / len(copies)
            assert abs(of_candidate - weight / 100) < 0.15
