"""The example in the documents serves a real Envoy."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from tests.xds_server.envoys import bootstrap

EXAMPLE = Path(__file__).parents[2] / "examples" / "standalone_xds.py"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_it_fits_on_a_page() -> None:
    assert len(EXAMPLE.read_text(encoding="utf-8").splitlines()) <= 50


async def test_it_serves_an_envoy(envoy: Callable[[dict[str, Any]], Awaitable[object]]) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    xds, entry = free_port(), free_port()
    example = await asyncio.create_subprocess_exec(
        sys.executable,
        str(EXAMPLE),
        *map(str, (xds, entry, runner.addresses[0][1])),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        await envoy(bootstrap(f"127.0.0.1:{xds}", node_id="mine", delta=False))
        assert example.stdout is not None
        async with asyncio.timeout(20):
            assert await example.stdout.readline() == b"mine has acknowledged everything\n"
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{entry}/") as response:
            assert await response.text() == "hello"
    finally:
        example.terminate()
        await example.wait()
        await runner.cleanup()
