"""What happens to the requests of an HTTP/2 connection that ends, in all the ways it may end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from hyperframe.frame import GoAwayFrame

from bluegreen.app.demo.exchange import Answer, Failure, Request, RequestFailed
from bluegreen.app.demo.http2_client import Http2Connection
from tests.support.http2_upstream import Call, Http2Upstream, listen

Script = Callable[[Http2Upstream, list[Call]], None]


class Scripted(Http2Upstream):
    """Collects requests, and hands them to the script once there are enough."""

    def __init__(self, enough: int, script: Script) -> None:
        super().__init__("v1")
        self._calls_so_far: list[Call] = []
        self._enough = enough
        self._script = script

    def answer(self, call: Call) -> None:
        self._calls_so_far.append(call)
        if len(self._calls_so_far) == self._enough:
            self._script(self, self._calls_so_far)


@asynccontextmanager
async def connected(enough: int, script: Script) -> AsyncIterator[Http2Connection]:
    server, address = await listen(lambda: Scripted(enough, script))
    host, _, port = address.rpartition(":")
    async with server:
        connection = await Http2Connection.open(host, int(port))
        try:
            yield connection
        finally:
            connection.close()


async def outcomes(connection: Http2Connection, count: int, body: bytes = b"") -> list[object]:
    """What becomes of `count` requests sent together: a status or a kind of failure."""
    requests = (Request(number, "GET", "a", f"/?request={number}", body) for number in range(count))
    async with asyncio.timeout(10):
        results = await asyncio.gather(
            *(connection.exchange(request) for request in requests), return_exceptions=True
        )
    kinds: list[object] = []
    for result in results:
        match result:
            case Answer(status=status):
                kinds.append(status)
            case RequestFailed(kind=kind):
                kinds.append(kind)
            case error:
                kinds.append(error)
    return kinds


def goaway(upstream: Http2Upstream, last_stream: int) -> None:
    """Send GOAWAY past h2, which would take the connection for closed."""
    frame = GoAwayFrame(stream_id=0, last_stream_id=last_stream)
    upstream.flush()
    assert upstream._transport
    upstream._transport.write(frame.serialize())


async def test_goaway_lets_the_streams_before_it_finish_and_refuses_those_after() -> None:
    def script(upstream: Http2Upstream, calls: list[Call]) -> None:
        goaway(upstream, calls[1].stream)
        for call in calls[:2]:
            upstream.respond(call)

    async with connected(4, script) as connection:
        assert await outcomes(connection, 4) == [200, 200, Failure.REFUSED, Failure.REFUSED]
        assert connection.is_lost


async def test_a_goaway_that_names_no_stream_yet_refuses_nothing() -> None:
    def script(upstream: Http2Upstream, calls: list[Call]) -> None:
        goaway(upstream, 2**31 - 1)
        for call in calls:
            upstream.respond(call)

    async with connected(3, script) as connection:
        assert await outcomes(connection, 3) == [200, 200, 200]
        assert connection.is_lost
        assert await outcomes(connection, 1) == [Failure.CLOSED]


async def test_a_connection_closed_before_and_within_answers() -> None:
    def script(upstream: Http2Upstream, calls: list[Call]) -> None:
        upstream.h2.send_headers(calls[0].stream, [(":status", "200"), ("x-version", "v1")])
        upstream.flush()
        assert upstream._transport
        upstream._transport.close()

    async with connected(2, script) as connection:
        assert await outcomes(connection, 2) == [Failure.TRUNCATED, Failure.CLOSED]


async def test_what_is_no_http2_fails_all() -> None:
    def script(upstream: Http2Upstream, calls: list[Call]) -> None:
        assert upstream._transport
        upstream._transport.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with connected(2, script) as connection:
        assert await outcomes(connection, 2) == [Failure.PROTOCOL, Failure.PROTOCOL]


async def test_a_body_larger_than_the_window_arrives_whole() -> None:
    def script(upstream: Http2Upstream, calls: list[Call]) -> None:
        for call in calls:
            upstream.respond(call)

    async with connected(2, script) as connection:
        assert await outcomes(connection, 2, b"x" * 300_000) == [200, 200]


async def test_a_request_given_up_is_cancelled_on_the_wire() -> None:
    waiting: list[bool] = []

    def script(upstream: Http2Upstream, calls: list[Call]) -> None:
        waiting.extend(upstream.is_waiting(call) for call in calls)
        upstream.respond(calls[1])

    async with connected(2, script) as connection:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await connection.exchange(Request(0, "GET", "a", "/?request=0"))
        room = connection.room
        assert await outcomes(connection, 1) == [200]
        assert connection.room == room
        assert waiting == [False, True]
