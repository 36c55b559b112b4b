"""One HTTP/1.1 keep-alive connection that does just what it is told.

aiohttp's client repeats a request by itself when a kept-alive connection breaks under it, and does not tell
of connections lost between requests: both are what the load is there to count.
"""

from __future__ import annotations

import asyncio
from typing import Self

from bluegreen.app.demo.exchange import Answer, Failure, Request, RequestFailed

LONGEST_HEAD = 65_536
LONGEST_BODY = 16 * 1024 * 1024


class Http1Connection:
    """Carries one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._told_to_close = False

    @classmethod
    async def open(cls, host: str, port: int) -> Self:
        """Connect. Raises OSError."""
        return cls(*await asyncio.open_connection(host, port, limit=LONGEST_HEAD))

    @property
    def is_lost(self) -> bool:
        """Whether the other side has closed it, or said with the last answer that it will."""
        return self._told_to_close or self._reader.at_eof() or self._reader.exception() is not None

    def close(self) -> None:
        """Close it at once."""
        self._writer.transport.abort()

    async def exchange(self, request: Request) -> Answer:
        """Send a request and read the whole answer. Raises RequestFailed; close the connection then."""
        begun = False
        try:
            self._writer.write(_encode(request))
            await self._writer.drain()
            status, headers = await self._read_head()
            begun = True
            while 100 <= status < 200:
                status, headers = await self._read_head()
            body = await self._read_body(status, headers)
        except asyncio.IncompleteReadError as error:
            failure = Failure.TRUNCATED if begun or error.partial else Failure.CLOSED
            raise RequestFailed(failure, f"connection closed, {len(error.partial)} bytes in part") from error
        except ConnectionError as error:
            raise RequestFailed(Failure.RESET, str(error)) from error
        except (ValueError, asyncio.LimitOverrunError) as error:
            raise RequestFailed(Failure.PROTOCOL, str(error)) from error
        self._told_to_close |= headers.get("connection", "").lower() == "close"
        return Answer(status, headers, body)

    async def _read_head(self) -> tuple[int, dict[str, str]]:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status_line, *lines = head[:-4].split("\r\n")
        protocol, _, rest = status_line.partition(" ")
        if protocol != "HTTP/1.1":
            raise ValueError(f"not an HTTP/1.1 answer: {status_line[:100]!r}")
        pairs = (line.partition(":") for line in lines)
        return int(rest[:3]), {name.lower(): value.strip() for name, _, value in pairs}

    async def _read_body(self, status: int, headers: dict[str, str]) -> bytes:
        if status in {204, 304}:
            return b""
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return await self._read_chunks()
        if "content-length" in headers:
            return await self._reader.readexactly(_bounded(int(headers["content-length"])))
        raise ValueError("an answer without a length: its end cannot be told from a broken connection")

    async def _read_chunks(self) -> bytes:
        """RFC 9112, section 7.1; no trailers were asked for, none are taken."""
        body = b""
        while True:
            size = int((await self._reader.readuntil(b"\r\n")).partition(b";")[0], 16)
            chunk = await self._reader.readexactly(_bounded(len(body) + size) - len(body) + 2)
            if not chunk.endswith(b"\r\n"):
                raise ValueError("a chunk does not end where it should")
            if size == 0:
                return body
            body += chunk[:-2]


def _encode(request: Request) -> bytes:
    length = f"content-length: {len(request.body)}\r\n" if request.body else ""
    head = f"{request.method} {request.path} HTTP/1.1\r\nhost: {request.authority}\r\n{length}\r\n"
    return head.encode("ascii") + request.body


def _bounded(length: int) -> int:
    if not 0 <= length <= LONGEST_BODY:
        raise ValueError(f"a body of {length} bytes")
    return length
