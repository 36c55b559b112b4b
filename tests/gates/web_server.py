"""An HTTP server that answers as each test needs it, and remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Asked:
    method: str
    path: str  # as it came
    headers: dict[str, str]  # names in lower case
    body: str


class WebServer:
    """Answers with what `answers` returns; the default is an empty 200."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.answers: Handler = empty
        self._transports: set[asyncio.Transport] = set()

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator[WebServer]:
        server = cls()
        application = web.Application()
        application.router.add_route("*", "/{any:.*}", server._answer)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield server
        finally:
            await runner.cleanup()
            for transport in server._transports:
                transport.abort()  # what the client no longer takes would keep it open
            await asyncio.sleep(0)  # they are closed one turn later

    def answer(self, body: str = "", status: int = 200, **headers: str) -> None:
        """Answer this from now on."""

        async def handler(_: web.Request) -> web.Response:
            return web.Response(text=body, status=status, headers=headers)

        self.answers = handler

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.transport:
            self._transports.add(request.transport)
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append(Asked(request.method, request.raw_path, headers, await request.text()))
        return await self.answers(request)


async def empty(_: web.Request) -> web.Response:
    return web.Response()


async def never(_: web.Request) -> web.Response:
    await asyncio.Event().wait()
    raise AssertionError


async def breaks_off(request: web.Request) -> web.StreamResponse:
    """Half an answer, and then the end of the connection."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"half of it")
    assert request.transport
    request.transport.close()
    return response


async def mail_server(request: web.Request) -> web.Response:
    assert request.transport
    request.transport.write(b"220 mail.example ESMTP\r\n\r\n")
    request.transport.close()
    return web.Response()


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"x" * 65_536)


@asynccontextmanager
async def refusing_url() -> AsyncIterator[str]:
    """An address at which nobody listens, and nobody else will meanwhile."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, start_serving=False)
    socket = server.sockets[0]
    try:
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.close()
