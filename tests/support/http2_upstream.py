"""A light upstream that speaks HTTP/2 without TLS: answers as the demo application does, many at once.

`python -m tests.support.http2_upstream VERSION` prints `listening on http://127.0.0.1:PORT`. Ten thousand
slow requests at once take a few connections here, where an HTTP/1.1 upstream has ten thousand.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from urllib.parse import parse_qs, urlsplit

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.settings import SettingCodes, Settings

from bluegreen.app.demo.processes import ChildProcesses, Command

REPOSITORY = Path(__file__).parents[2]


@dataclass(slots=True)
class Call:
    """A request that has come whole."""

    stream: int
    path: str
    body: bytearray = field(default_factory=bytearray)

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}


class Http2Upstream(asyncio.Protocol):
    """One connection. `answer` is called with each whole request; a subclass may answer otherwise, or not."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        # From the first frame on: a later change counts only once the other side has acknowledged it.
        many = {SettingCodes.MAX_CONCURRENT_STREAMS: 1_000_000}
        self.h2.local_settings = Settings(client=False, initial_values=many)
        self._calls: dict[int, Call] = {}
        self._blocked: dict[int, bytes] = {}  # bodies that wait for the flow-control window
        self._transport: asyncio.Transport | None = None

    def answer(self, call: Call) -> None:
        """Answer rightly, after the time that the request asked for."""
        seconds = float(call.query.get("seconds", "0"))
        asyncio.get_running_loop().call_later(seconds, self.respond, call)

    def respond(self, call: Call, *, status: int = 200, version: str | None = None) -> None:
        """Send the whole answer."""
        if not self.is_waiting(call):
            return  # the client has gone or given up
        version = self.version if version is None else version
        headers = [(":status", str(status)), *([("x-version", version)] if version else [])]
        self.h2.send_headers(call.stream, headers)
        self._send(call.stream, self.body_for(call))
        self.flush()

    def body_for(self, call: Call) -> bytes:
        """What the demo application would say."""
        request = call.query.get("request", "")
        digest = hashlib.sha256(call.body).hexdigest()
        return json.dumps(
            {"version": self.version, "request": request, "length": len(call.body), "sha256": digest}
        ).encode()

    def is_waiting(self, call: Call) -> bool:
        """Whether the client still waits for this answer."""
        return call.stream in self._calls

    def flush(self) -> None:
        """Write what h2 has to say."""
        if self._transport and not self._transport.is_closing():
            self._transport.write(self.h2.data_to_send())

    def close(self) -> None:
        """Close the connection at once."""
        if self._transport:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.h2.initiate_connection()
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._calls.clear()

    def data_received(self, data: bytes) -> None:
        for event in self.h2.receive_data(data):
            match event:
                case RequestReceived(stream_id=stream, headers=headers):
                    text = {str(name): str(value) for name, value in headers}
                    self._calls[stream] = Call(stream, text[":path"])
                case DataReceived(stream_id=stream, data=body, flow_controlled_length=length):
                    self.h2.acknowledge_received_data(length, stream)
                    self._calls[stream].body += body
                case StreamEnded(stream_id=stream):
                    self.answer(self._calls[stream])
                case StreamReset(stream_id=stream):
                    self._calls.pop(stream, None)
                    self._blocked.pop(stream, None)
                case WindowUpdated():
                    for stream in tuple(self._blocked):
                        self._send(stream, self._blocked.pop(stream))
                case ConnectionTerminated():
                    self.close()
        self.flush()

    def _send(self, stream: int, body: bytes) -> None:
        if self.h2.local_flow_control_window(stream) < len(body):
            self._blocked[stream] = body
            return
        self.h2.send_data(stream, body, end_stream=True)
        self._calls.pop(stream, None)


async def listen(connection: Callable[[], asyncio.Protocol]) -> tuple[asyncio.Server, str]:
    """Serve such connections on a free loopback port; the server and its HOST:PORT."""
    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0, backlog=1024)
    host, port = server.sockets[0].getsockname()
    return server, f"{host}:{port}"


async def start_http2_upstream(children: ChildProcesses, version: str) -> str:
    """Start one as a process; its HOST:PORT."""
    first_line: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def listening() -> str:
        return await first_line

    command = Command(
        f"http2-upstream-{version}",
        (sys.executable, "-m", "tests.support.http2_upstream", version),
        {"PYTHONPATH": str(REPOSITORY)},
        first_line.set_result,
    )
    child = await children.start(command)
    return (await child.expect(listening(), 20)).rpartition("/")[2]


async def main(version: str) -> None:
    """Serve until killed."""
    server, address = await listen(lambda: Http2Upstream(version))
    print(f"listening on http://{address}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
