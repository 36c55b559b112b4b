"""gRPC health tests, against real servers."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived, StreamEnded

from bluegreen.gates import repetition
from bluegreen.gates.outside_checker import OutsideChecker
from bluegreen.model.acceptance_test import GrpcTest
from bluegreen.model.checker import Target
from bluegreen.model.verdict import Finding, Verdict
from tests.gates.web_server import refusing_url

Status = health_pb2.HealthCheckResponse


def target_of(*urls: str) -> Target:
    return Target("shop", "v2", 7, "green", "key-7", "shop.example", urls[0], urls)


@asynccontextmanager
async def serving(
    servicer: health_pb2_grpc.HealthServicer | None, credentials: grpc.ServerCredentials | None = None
) -> AsyncIterator[Target]:
    """A real server; how to reach it."""
    server = grpc.aio.server()
    if servicer is not None:
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    if credentials is None:
        url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    else:
        url = f"https://localhost:{server.add_secure_port('127.0.0.1:0', credentials)}"
    await server.start()
    try:
        yield target_of(url)
    finally:
        await server.stop(None)


async def test_serving_passes(checker: OutsideChecker) -> None:
    servicer = health.aio.HealthServicer()
    await servicer.set("shop.Cart", Status.SERVING)
    async with serving(servicer) as target:
        finding = await checker.test(GrpcTest("health", "shop.Cart", repeat=2), target)
        assert finding.verdict is Verdict.PASS, finding
        assert finding.summary.startswith(
            "2 requests through 1 gateway answered as expected, the slowest in "
        )
        assert (await checker.test(GrpcTest("health"), target)).verdict is Verdict.PASS


async def test_anything_else_fails(checker: OutsideChecker) -> None:
    servicer = health.aio.HealthServicer()
    await servicer.set("shop.Cart", Status.NOT_SERVING)
    async with serving(servicer) as target:
        finding = await checker.test(GrpcTest("health", "shop.Cart", repeat=3), target)
        assert (finding.verdict, finding.summary) == (
            Verdict.FAIL,
            f"{target.url}, request 1 of 3: expected SERVING; service 'shop.Cart' is NOT_SERVING",
        )
        finding = await checker.test(GrpcTest("health", "shop.Till"), target)
        assert (finding.verdict, finding.summary) == (
            Verdict.FAIL,
            f"{target.url}: expected SERVING; service 'shop.Till' was answered with NOT_FOUND",
        )
    async with serving(None) as target:
        finding = await checker.test(GrpcTest("health"), target)
        assert finding.verdict is Verdict.FAIL
        assert finding.summary.endswith("expected SERVING; the server was answered with UNIMPLEMENTED")
        assert finding.output == "Method not found!"


async def test_silence_fails(checker: OutsideChecker) -> None:
    class Silent(health_pb2_grpc.HealthServicer):  # type: ignore[misc]
        async def Check(self, request: object, context: object) -> None:  # noqa: N802
            await asyncio.Event().wait()

    async with serving(Silent()) as target:
        finding = await checker.test(GrpcTest("health", timeout=0.2), target)
    assert (finding.verdict, finding.summary) == (Verdict.FAIL, f"{target.url}: no answer within 0.2 s")


async def test_nobody_there_is_an_error_and_a_retry_asks_at_once(
    checker: OutsideChecker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repetition, "RETRY_PAUSE", 0.0)
    async with refusing_url() as url:
        finding = await checker.test(GrpcTest("health", retries=3), target_of(url))
    assert (finding.verdict, finding.summary) == (
        Verdict.ERROR,
        f"{url}: no connection (the last of 4 tries)",
    )
    assert finding.seconds < 1  # gRPC itself would wait a second before each
    for wrong in ("ftp://127.0.0.1:1", "127.0.0.1:1", "http://"):
        assert (await checker.test(GrpcTest("health"), target_of(wrong))).verdict is Verdict.ERROR
    finding = await checker.test(GrpcTest("health"), replace(target_of(""), urls=()))
    assert finding.verdict is Verdict.ERROR


class HealthOverHttp2(asyncio.Protocol):
    """Answers as an Envoy does, or a server of a later protocol; remembers the :authority."""

    def __init__(self, status: int, body: bytes) -> None:
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._status = status
        self._body = body
        self.authorities: list[str] = []
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._h2.initiate_connection()
        self.transport.write(self._h2.data_to_send())

    def data_received(self, data: bytes) -> None:
        for event in self._h2.receive_data(data):
            match event:
                case RequestReceived(headers=headers):
                    self.authorities.append(str(dict(headers)[":authority"]))
                case StreamEnded(stream_id=stream):
                    self._h2.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
                    if self._body:
                        self._h2.send_data(stream, b"\0" + len(self._body).to_bytes(4, "big") + self._body)
                    trailers = [
                        ("grpc-status", str(self._status)),
                        ("grpc-message", "upstream connect error"),
                    ]
                    self._h2.send_headers(stream, trailers, end_stream=True)
        assert self.transport
        self.transport.write(self._h2.data_to_send())


async def ask_over_http2(checker: OutsideChecker, status: int, body: bytes) -> tuple[Finding, list[str]]:
    connection = HealthOverHttp2(status, body)
    listener = await asyncio.get_running_loop().create_server(lambda: connection, "127.0.0.1", 0)
    async with listener:
        target = target_of(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}")
        finding = await checker.test(GrpcTest("health"), target)
    assert connection.transport
    connection.transport.abort()
    await asyncio.sleep(0)  # it is closed one turn later
    return finding, connection.authorities


async def test_the_authority_is_the_domain(checker: OutsideChecker) -> None:
    finding, authorities = await ask_over_http2(checker, 0, b"\x08\x01")
    assert finding.verdict is Verdict.PASS, finding
    assert authorities == ["shop.example"]


async def test_a_proxy_without_instances_is_an_answer(checker: OutsideChecker) -> None:
    finding, _ = await ask_over_http2(checker, 14, b"")
    assert finding.verdict is Verdict.FAIL
    assert finding.summary.endswith("expected SERVING; the server was answered with UNAVAILABLE")
    assert finding.output == "upstream connect error"


async def test_a_status_of_a_later_protocol_fails(checker: OutsideChecker) -> None:
    finding, _ = await ask_over_http2(checker, 0, b"\x08\x2a")
    assert finding.verdict is Verdict.FAIL
    assert finding.summary.endswith("expected SERVING; the server is status 42")


ASK = """
import asyncio, sys
from bluegreen.gates.outside_checker import OutsideChecker
from bluegreen.model.acceptance_test import GrpcTest
from bluegreen.model.checker import Target

async def ask():
    async with OutsideChecker.open() as checker:
        url = sys.argv[1]
        target = Target("shop", "v2", 7, "green", "key-7", "shop.example", url, (url,))
        print((await checker.test(GrpcTest("health"), target)).verdict)

asyncio.run(ask())
"""


async def test_https_is_tls_with_a_certificate_of_the_urls_host(tmp_path: Path) -> None:
    """In processes of their own: gRPC reads its roots once."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(  # noqa: ASYNC221
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-keyout", key, "-out", certificate, "-days", "1"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
        ],
        check=True,
        capture_output=True,
    )
    pair = (key.read_bytes(), certificate.read_bytes())
    verdicts = []
    async with serving(health.aio.HealthServicer(), grpc.ssl_server_credentials([pair])) as target:
        for roots in (str(certificate), ""):
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-c", ASK, target.url),
                env={**os.environ, "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": roots},
                stdout=subprocess.PIPE,
            )
            output, _ = await process.communicate()
            verdicts.append(output.decode().strip())
    assert verdicts == ["pass", "error"]
