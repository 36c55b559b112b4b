"""Backends that break in every way, each request in the way that the last digit of its number says."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from h2.errors import ErrorCodes

from bluegreen.app.demo.exchange import Failure
from tests.support.http2_upstream import Call, Http2Upstream, listen

# By digit; the digits not named are answered rightly.
HTTP1_FAULTS = {
    0: "status 503",
    1: Failure.CLOSED,
    2: Failure.RESET,
    3: Failure.TRUNCATED,
    4: Failure.NO_VERSION,
    5: Failure.WRONG_BODY,
    6: Failure.TIMEOUT,
    7: Failure.PROTOCOL,
}
HTTP2_FAULTS = {
    0: "status 503",
    1: Failure.RESET,
    2: Failure.REFUSED,
    3: Failure.RESET,  # after a part of the body
    4: Failure.NO_VERSION,
    5: Failure.WRONG_BODY,
    6: Failure.TIMEOUT,
}


@asynccontextmanager
async def faulty_http1_backend() -> AsyncIterator[str]:
    """An HTTP/1.1 backend with HTTP1_FAULTS; its HOST:PORT."""
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with server:
        yield f"{host}:{port}"


@asynccontextmanager
async def faulty_http2_backend() -> AsyncIterator[str]:
    """An h2c backend with HTTP2_FAULTS; its HOST:PORT."""
    server, address = await listen(lambda: FaultyHttp2("v1"))
    async with server:
        yield address


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await _answer(reader, writer):
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # the client has closed the connection
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Answer one request; whether the connection goes on."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
    body = await reader.readexactly(int(length[1])) if length else b""
    numbered = re.search(r"request=(\d+)", head)
    assert numbered, head
    number = numbered[1]
    digest = hashlib.sha256(body).hexdigest()
    told = {"version": "v1", "request": number, "length": len(body), "sha256": digest}
    right = json.dumps(told).encode()
    wrong = json.dumps({**told, "sha256": "0"}).encode()
    match HTTP1_FAULTS.get(int(number) % 10):
        case "status 503":
            writer.write(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\nbusy")
        case Failure.CLOSED:
            return False
        case Failure.RESET:
            lingering: socket.socket = writer.get_extra_info("socket")
            lingering.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        case Failure.TRUNCATED:
            writer.write(_head(len(right)) + right[:-1])
            return False
        case Failure.NO_VERSION:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(right), right))
        case Failure.WRONG_BODY:
            writer.write(_head(len(wrong)) + wrong)
        case Failure.TIMEOUT:
            await reader.read()
            return False
        case Failure.PROTOCOL:
            writer.write(b"220 mail.example ESMTP\r\n\r\n")
            return False
        case _ if number.endswith("8"):
            chunks = b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (5, right[:5], len(right) - 5, right[5:])
            writer.write(b"HTTP/1.1 200 OK\r\nX-Version: v1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
        case _:
            writer.write(_head(len(right)) + right)
    return True


def _head(length: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\nx-version: v1\r\ncontent-length: %d\r\n\r\n" % length


class FaultyHttp2(Http2Upstream):
    """A connection that breaks its streams."""

    def answer(self, call: Call) -> None:
        digit = int(call.query["request"]) % 10
        match digit:
            case 0:
                self.respond(call, status=503)
            case 1:
                self.h2.reset_stream(call.stream, ErrorCodes.INTERNAL_ERROR)
            case 2:
                self.h2.reset_stream(call.stream, ErrorCodes.REFUSED_STREAM)
            case 3:
                self.h2.send_headers(call.stream, [(":status", "200"), ("x-version", self.version)])
                self.h2.send_data(call.stream, self.body_for(call)[:10])
                self.h2.reset_stream(call.stream, ErrorCodes.INTERNAL_ERROR)
            case 4:
                self.respond(call, version="")
            case 5:
                call.body += b"more than was sent"
                self.respond(call)
            case 6:
                pass
            case _:
                self.respond(call)
