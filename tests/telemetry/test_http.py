"""Whatever comes to the HTTP port is answered; what is not HTTP/1 is no error of ours."""

from __future__ import annotations

import asyncio
import logging

import pytest
from prometheus_client import CollectorRegistry

from bluegreen.telemetry.http import serve_http

LOOPBACK = "127.0.0.1"


async def answer(port: int, request: bytes) -> bytes:
    """The first line."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.write(request)
    try:
        async with asyncio.timeout(5):
            return await reader.readline()
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    "request_",
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
        b"\x16\x03\x01\x00\xa5hello\r\n\r\n",
        b"GET /metrics HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
    ],
    ids=["HTTP/2", "TLS", "version", "long"],
)
async def test_who_speaks_something_else_is_told_so_and_nothing_is_logged(
    request_: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve_http(LOOPBACK, 0, CollectorRegistry(), lambda: True) as port:
        with caplog.at_level(logging.INFO):
            assert b" 400 " in await answer(port, request_)
            assert b" 200 " in await answer(port, b"GET /readyz HTTP/1.1\r\nHost: here\r\n\r\n")
    assert caplog.records == []


async def test_a_failure_of_ours_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def fails() -> bool:
        raise ZeroDivisionError

    async with serve_http(LOOPBACK, 0, CollectorRegistry(), fails) as port:
        assert b" 500 " in await answer(port, b"GET /readyz HTTP/1.1\r\nHost: here\r\n\r\n")
    (record,) = caplog.records
    assert record.exc_info is not None
