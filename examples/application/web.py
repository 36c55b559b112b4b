"""The ASGI side: HTTP and WebSocket, and how both behave while the process goes down.

`GET /healthz` is the readiness; `/slow?seconds=1` takes its time; `/ws` echoes. All else tells what came in.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

GOING_AWAY = 1001  # RFC 6455, section 7.4.1
LONGEST = 60.0  # seconds that /slow may be asked for


class Web:
    """An ASGI application. While it is not `ready`, it says so, and goes on answering."""

    def __init__(self, version: str) -> None:
        self.ready = True
        self._version = version
        self._goodbye = asyncio.Event()
        self._websockets: set[asyncio.Future[None]] = set()  # each done when that one has ended

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._echo(receive, send)
        elif scope["path"] == "/healthz":
            await self._respond(send, *((200, b"ok\n") if self.ready else (503, b"going down\n")))
        else:
            await self._answer(scope, receive, send)

    async def say_goodbye(self, grace: float) -> None:
        """End all WebSockets with 1001, which tells their clients to connect again; wait until they have."""
        self._goodbye.set()
        if self._websockets:
            await asyncio.wait(self._websockets, timeout=grace)

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
        length, digest, more = 0, hashlib.sha256(), True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            digest.update(message.get("body", b""))
            length, more = length + len(message.get("body", b"")), message.get("more_body", False)
        if scope["path"] == "/slow":
            await asyncio.sleep(min(float(query.get("seconds", "1")), LONGEST))
        told = {
            "version": self._version,
            "request": query.get("request", ""),
            "length": length,
            "sha256": digest.hexdigest(),
        }
        await self._respond(send, 200, json.dumps(told).encode())

    async def _respond(self, send: Send, status: int, body: bytes) -> None:
        headers = [
            (b"x-version", self._version.encode()),
            (b"content-type", b"application/json" if body.startswith(b"{") else b"text/plain"),
            (b"content-length", b"%d" % len(body)),
        ]
        if not self.ready:
            # The proxy shall not keep this connection for another request: we will be gone by then.
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _echo(self, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        await send({"type": "websocket.accept"})
        ended = asyncio.get_running_loop().create_future()
        self._websockets.add(ended)
        goodbye = asyncio.ensure_future(self._goodbye.wait())
        try:
            while True:
                received = asyncio.ensure_future(receive())
                await asyncio.wait((received, goodbye), return_when=asyncio.FIRST_COMPLETED)
                if not received.done():
                    received.cancel()
                    await send({"type": "websocket.close", "code": GOING_AWAY, "reason": "going down"})
                    return
                message = received.result()
                if message["type"] == "websocket.disconnect":
                    return
                await send({"type": "websocket.send", "text": f"{self._version}: {message.get('text', '')}"})
        finally:
            goodbye.cancel()
            self._websockets.discard(ended)
            ended.set_result(None)
