"""One HTTP/2 connection (prior knowledge, no TLS) for many requests at once, that never repeats one.

The `h2` library speaks the protocol, but takes GOAWAY for the end of the connection, while the streams up to
the one it names run to their end (RFC 9113, section 6.8). So GOAWAY is read here, and kept from the library.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Self, cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError

from bluegreen.app.demo.exchange import Answer, Failure, Request, RequestFailed

FRAME_HEADER = 9
LONGEST_FRAME = 16_384  # the default of SETTINGS_MAX_FRAME_SIZE, which we leave as it is
GOAWAY = 0x7
CONNECT_SECONDS = 5.0


@dataclass(slots=True)
class _Stream:
    """An answer on its way."""

    answer: asyncio.Future[Answer]
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)

    def fail(self, failure: Failure, detail: str) -> None:
        if not self.answer.done():
            self.answer.set_exception(RequestFailed(failure, detail))


class Http2Connection(asyncio.Protocol):
    """Carries as many requests at once as the other side allows."""

    def __init__(self) -> None:
        self.is_lost = False  # the other side closed it, or refuses new streams by a GOAWAY
        self._h2 = H2Connection(
            H2Configuration(
                client_side=True,
                header_encoding="utf-8",
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self._streams: dict[int, _Stream] = {}
        self._received = b""
        self._settled = asyncio.Event()
        self._window_opened = asyncio.Event()
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def open(cls, host: str, port: int) -> Self:
        """Connect, and wait for the other side's settings, which limit the streams. Raises OSError."""
        _, connection = await asyncio.get_running_loop().create_connection(cls, host, port)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await connection._settled.wait()
        except TimeoutError as error:
            connection.close()
            raise ConnectionError(f"{host}:{port} sent no HTTP/2 settings") from error
        if connection.is_lost:
            raise ConnectionError(f"{host}:{port} does not speak HTTP/2")
        return connection

    @property
    def room(self) -> int:
        """How many more requests it can carry now."""
        return self._h2.remote_settings.max_concurrent_streams - len(self._streams)

    async def exchange(self, request: Request) -> Answer:
        """Send a request and wait for the whole answer. Raises RequestFailed."""
        if self.is_lost or self._transport is None:
            raise RequestFailed(Failure.CLOSED, "the connection is lost")
        identity = self._h2.get_next_available_stream_id()
        stream = _Stream(asyncio.get_running_loop().create_future())
        self._streams[identity] = stream
        try:
            self._h2.send_headers(identity, _headers(request), end_stream=not request.body)
            self._flush()
            await self._send_body(identity, stream, request.body)
            return await stream.answer
        except ProtocolError as error:
            raise RequestFailed(Failure.PROTOCOL, repr(error)) from error
        finally:
            self._forget(identity, stream)

    def close(self) -> None:
        """Close it at once."""
        if self._transport:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._h2.initiate_connection()
        self._flush()

    def data_received(self, data: bytes) -> None:
        try:
            frames, self._received = _cut(self._received + data)
            for frame in frames:
                if frame[3] == GOAWAY:
                    self._go_away(frame[FRAME_HEADER:])
            events = self._h2.receive_data(b"".join(frame for frame in frames if frame[3] != GOAWAY))
        except ProtocolError as error:
            self._fail_all(Failure.PROTOCOL, repr(error))
            self.close()
            return
        for event in events:
            self._handle(event)
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True
        self._settled.set()
        self._window_opened.set()
        for stream in self._streams.values():
            ended = Failure.TRUNCATED if stream.headers else Failure.CLOSED
            stream.fail(Failure.RESET if exc else ended, str(exc or "connection closed"))

    def _handle(self, event: Event) -> None:
        match event:
            case ResponseReceived(stream_id=identity, headers=headers) if identity in self._streams:
                self._streams[identity].headers.update(_text(headers))
            case DataReceived(stream_id=identity, data=data, flow_controlled_length=length):
                self._h2.acknowledge_received_data(length, identity)
                if identity in self._streams:
                    self._streams[identity].body += data
            case StreamEnded(stream_id=identity) if identity in self._streams:
                stream = self._streams[identity]
                if not stream.answer.done():
                    status = int(stream.headers[":status"])
                    stream.answer.set_result(Answer(status, stream.headers, bytes(stream.body)))
            case StreamReset(stream_id=identity, error_code=code) if identity in self._streams:
                refused = code == ErrorCodes.REFUSED_STREAM
                self._streams[identity].fail(
                    Failure.REFUSED if refused else Failure.RESET, f"RST_STREAM {code!r}"
                )
            case WindowUpdated() | RemoteSettingsChanged():
                self._settled.set()
                self._window_opened.set()
            case _:
                pass  # pings and the like: h2 has answered them

    def _go_away(self, payload: bytes) -> None:
        """RFC 9113, section 6.8: streams after the last one named were not and will not be processed."""
        self.is_lost = True
        last = int.from_bytes(payload[:4]) & 0x7FFF_FFFF
        for identity, stream in self._streams.items():
            if identity > last:
                stream.fail(Failure.REFUSED, f"GOAWAY after stream {last}")

    async def _send_body(self, identity: int, stream: _Stream, body: bytes) -> None:
        while body and not stream.answer.done():
            room = min(self._h2.local_flow_control_window(identity), self._h2.max_outbound_frame_size)
            if room > 0:
                self._h2.send_data(identity, body[:room], end_stream=len(body) <= room)
                self._flush()
                body = body[room:]
            else:
                self._window_opened.clear()
                await self._window_opened.wait()

    def _forget(self, identity: int, stream: _Stream) -> None:
        del self._streams[identity]
        if stream.answer.cancelled() or not stream.answer.done():
            self._cancel(identity)
        if self.is_lost and not self._streams:
            self.close()

    def _cancel(self, identity: int) -> None:
        """Tell the other side that nobody waits any more."""
        try:
            self._h2.reset_stream(identity, ErrorCodes.CANCEL)
        except ProtocolError:
            return  # it ended just now, or never began: there is nothing to cancel
        self._flush()

    def _fail_all(self, failure: Failure, detail: str) -> None:
        for stream in self._streams.values():
            stream.fail(failure, detail)

    def _flush(self) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.write(self._h2.data_to_send())


def _cut(received: bytes) -> tuple[list[bytes], bytes]:
    """Whole frames, and the beginning of the next (RFC 9113, section 4.1). Raises ProtocolError."""
    frames = []
    begin = 0
    while len(received) - begin >= FRAME_HEADER:
        length = int.from_bytes(received[begin : begin + 3])
        if length > LONGEST_FRAME:
            raise ProtocolError(f"a frame of {length} bytes, or no HTTP/2 at all")
        end = begin + FRAME_HEADER + length
        if end > len(received):
            break
        frames.append(received[begin:end])
        begin = end
    return frames, received[begin:]


def _headers(request: Request) -> list[tuple[str, str]]:
    headers = [
        (":method", request.method),
        (":scheme", "http"),
        (":authority", request.authority),
        (":path", request.path),
    ]
    return [*headers, ("content-length", str(len(request.body)))] if request.body else headers


def _text(headers: list[Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in headers}
