"""HTTP tests, against a real HTTP server."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace

import pytest
from aiohttp import web

from bluegreen.gates import repetition
from bluegreen.gates.http_client import MAXIMUM_BODY
from bluegreen.gates.outside_checker import OutsideChecker
from bluegreen.model.acceptance_test import HttpExpectation, HttpTest
from bluegreen.model.checker import Target
from bluegreen.model.secret import Secret
from bluegreen.model.verdict import MAXIMUM_OUTPUT, Finding, Verdict
from tests.gates.web_server import Handler, WebServer, breaks_off, endless, mail_server, never, refusing_url


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repetition, "RETRY_PAUSE", 0.0)


def expecting(**expected: object) -> HttpTest:
    return HttpTest("smoke", expect=HttpExpectation(**expected))  # type: ignore[arg-type]


def assert_failed(finding: Finding, words: str) -> None:
    assert finding.verdict is Verdict.FAIL, finding
    assert words in finding.summary


async def test_asks_just_what_is_written(checker: OutsideChecker, server: WebServer, target: Target) -> None:
    path = "/a/../b//c%2Fd?q=1&r=%20ü x;y"
    finding = await checker.test(
        HttpTest("smoke", "PUT", path, {"X-Token": Secret("let me in")}, "body"), target
    )

    assert finding.verdict is Verdict.PASS, finding
    assert finding.summary.startswith("1 request through 1 gateway answered as expected")
    assert finding.seconds > 0
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("PUT", "/a/../b//c%2Fd?q=1&r=%20%C3%BC%20x;y")
    assert (asked.headers["host"], asked.headers["x-token"]) == ("shop.example", "let me in")
    assert asked.body == "body"
    assert set(asked.headers) == {"host", "x-token", "accept", "user-agent", "connection", "content-length"}


async def test_a_host_of_its_own_wins(checker: OutsideChecker, server: WebServer, target: Target) -> None:
    await checker.test(HttpTest("smoke", headers={"host": Secret("www.shop.example")}), target)

    assert server.asked[0].headers["host"] == "www.shop.example"


async def test_each_gateway_answers_each_repeat(
    checker: OutsideChecker, server: WebServer, target: Target
) -> None:
    async with WebServer.open() as other:
        both = replace(target, urls=(server.url, other.url))
        finding = await checker.test(HttpTest("smoke", repeat=3), both)
        assert finding.summary.startswith(
            "6 requests through 2 gateways answered as expected, the slowest in "
        )
        assert (len(server.asked), len(other.asked)) == (3, 3)

        other.answer("broken", 500)
        finding = await checker.test(HttpTest("smoke", path="/cart", repeat=3), both)

    assert finding.summary == f"{other.url}/cart, request 1 of 3: expected status 200; came 500"
    assert (finding.verdict, finding.output) == (Verdict.FAIL, "broken")


async def test_the_repeat_that_fails_is_told(
    checker: OutsideChecker, server: WebServer, target: Target
) -> None:
    async def third_fails(_: web.Request) -> web.Response:
        return web.Response(status=503 if len(server.asked) == 3 else 200)

    server.answers = third_fails
    finding = await checker.test(HttpTest("smoke", repeat=5), target)

    assert_failed(finding, "request 3 of 5: expected status 200; came 503")
    assert len(server.asked) == 3


async def test_retries(checker: OutsideChecker, server: WebServer, target: Target) -> None:
    async def twice_wrong(_: web.Request) -> web.Response:
        return web.Response(status=503 if len(server.asked) <= 2 else 200)

    server.answers = twice_wrong
    finding = await checker.test(HttpTest("smoke", retries=2), target)
    assert finding.verdict is Verdict.PASS
    assert "(with 2 retries)" in finding.summary

    server.asked.clear()
    finding = await checker.test(HttpTest("smoke", retries=1), target)
    assert_failed(finding, "came 503 (the last of 2 tries)")


async def test_a_redirect_is_an_answer(checker: OutsideChecker, server: WebServer, target: Target) -> None:
    server.answer("", 302, Location="/elsewhere")

    finding = await checker.test(HttpTest("smoke"), target)
    assert_failed(finding, "expected status 200; came 302 to '/elsewhere', which is not followed")
    assert (await checker.test(expecting(status=(301, 302)), target)).verdict is Verdict.PASS
    assert len(server.asked) == 2


async def test_body(checker: OutsideChecker, server: WebServer, target: Target) -> None:
    server.answer("Welcome to the shop")

    assert (await checker.test(expecting(body="the shop"), target)).verdict is Verdict.PASS
    finding = await checker.test(expecting(body="v2"), target)
    assert_failed(finding, "expected 'v2' in the body; it is not there")
    assert finding.output == "Welcome to the shop"


async def test_json(checker: OutsideChecker, server: WebServer, target: Target) -> None:
    server.answer(json.dumps({"version": "v2", "up": True, "parts": [{"a/b": 1.0}]}))

    right = {"/version": '"v2"', "/up": "true", "/parts/0/a~1b": "1", "/parts": '[{"a/b": 1}]'}
    assert (await checker.test(expecting(json=right), target)).verdict is Verdict.PASS
    finding = await checker.test(expecting(json={"/up": "1"}), target)
    assert_failed(finding, "expected '1' at /up of the JSON body; came 'true'")
    finding = await checker.test(expecting(json={"/parts/1": "1"}), target)
    assert_failed(finding, "expected '1' at /parts/1 of the JSON body; nothing is there")

    for body in ("<html>", "[" * 100_000, '{"up": NaN}', "\udcff"):
        server.answers = answering(body)
        finding = await checker.test(expecting(json={"/up": "1"}), target)
        assert_failed(finding, "expected JSON; the body is none")


def answering(body: str) -> Handler:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=body.encode(errors="surrogateescape"))

    return handler


async def test_expectations_that_make_no_sense_are_errors(checker: OutsideChecker, target: Target) -> None:
    for pointer, value in (("up", "1"), ("/~2", "1"), ("/up", "yes")):
        finding = await checker.test(expecting(json={pointer: value}), target)
        assert finding.verdict is Verdict.ERROR
        assert "is no JSON" in finding.summary


async def test_latency(checker: OutsideChecker, server: WebServer, target: Target) -> None:
    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(0.05)
        return web.Response()

    server.answers = slow
    assert (await checker.test(expecting(max_latency=5.0), target)).verdict is Verdict.PASS
    assert_failed(await checker.test(expecting(max_latency=0.02), target), "expected an answer within 20 ms")


async def test_an_answer_that_does_not_come_fails(
    checker: OutsideChecker, server: WebServer, target: Target
) -> None:
    server.answers = never
    finding = await checker.test(HttpTest("smoke", timeout=0.1), target)
    assert_failed(finding, "no whole answer within 0.1 s")
    assert finding.seconds < 2


async def test_an_answer_that_breaks_off_fails_and_is_not_asked_for_again(
    checker: OutsideChecker, server: WebServer, target: Target
) -> None:
    server.answers = breaks_off
    assert_failed(await checker.test(HttpTest("smoke"), target), "the answer broke off")
    assert len(server.asked) == 1


async def test_a_request_is_sent_once(checker: OutsideChecker, server: WebServer, target: Target) -> None:
    """Of its own accord aiohttp asks again when a connection breaks before the answer."""

    async def breaks_once(request: web.Request) -> web.Response:
        if len(server.asked) == 2:
            assert request.transport
            request.transport.abort()
        return web.Response()

    server.answers = breaks_once
    finding = await checker.test(HttpTest("smoke", repeat=3), target)
    assert_failed(finding, "request 2 of 3: the answer broke off or is no HTTP: the connection was closed")
    assert len(server.asked) == 2
    assert {asked.headers["connection"] for asked in server.asked} == {"close"}


async def test_an_endless_answer_is_read_in_part(
    checker: OutsideChecker, server: WebServer, target: Target
) -> None:
    server.answers = endless
    assert (await checker.test(HttpTest("smoke"), target)).verdict is Verdict.PASS
    finding = await checker.test(expecting(body="y"), target)
    assert_failed(finding, f"expected 'y' in the first {MAXIMUM_BODY} bytes of the body")
    assert len(finding.output) == MAXIMUM_OUTPUT
    assert_failed(await checker.test(expecting(json={"": "1"}), target), "too long to be read")


async def test_what_is_no_http_fails(checker: OutsideChecker, server: WebServer, target: Target) -> None:
    server.answers = mail_server
    assert_failed(await checker.test(HttpTest("smoke"), target), "is no HTTP")


async def test_what_cannot_be_asked_is_an_error(checker: OutsideChecker, target: Target) -> None:
    async with refusing_url() as url:
        finding = await checker.test(HttpTest("smoke"), replace(target, urls=(url,)))
    assert (finding.verdict, finding.summary) == (
        Verdict.ERROR,
        f"{url}/: no connection: Connection refused",
    )
    for urls in ((), ("not a url",), ("http://127.0.0.1:99999",), ("ftp://127.0.0.1",)):
        finding = await checker.test(HttpTest("smoke"), replace(target, urls=urls))
        assert finding.verdict is Verdict.ERROR, finding
    finding = await checker.test(HttpTest("smoke", "GE T"), target)
    assert finding.verdict is Verdict.ERROR
    finding = await checker.test(HttpTest("smoke", headers={"X": Secret("a\r\nb: c")}), target)
    assert finding.verdict is Verdict.ERROR


async def test_a_secret_is_not_shown(
    checker: OutsideChecker, server: WebServer, target: Target, caplog: pytest.LogCaptureFixture
) -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.json_response({"asked": dict(request.headers)}, status=500)

    caplog.set_level(logging.DEBUG)
    server.answers = echo
    headers = {"Authorization": Secret('Bearer s3same "open"'), "X-Key": Secret("hunter2" * 30)}
    findings = [
        await checker.test(HttpTest("smoke", headers=headers, expect=expected), target)
        for expected in (
            HttpExpectation(),
            HttpExpectation(status=(500,), json={"/asked/Authorization": "1"}),
            HttpExpectation(status=(500,), json={"/asked/X-Key": "1"}),
        )
    ]

    assert "s3same" in server.asked[0].headers["authorization"]
    for finding in findings:
        assert finding.verdict is Verdict.FAIL
        shown = f"{finding} {caplog.text}"
        assert "s3same" not in shown
        assert "hunter" not in shown
        assert "(secret)" in f"{finding.summary}{finding.output}"


async def test_a_secret_is_not_shown_in_part(
    checker: OutsideChecker, server: WebServer, target: Target
) -> None:
    server.answer("x" * (MAXIMUM_OUTPUT - 10) + "hunter2hunter2", 500)
    finding = await checker.test(HttpTest("smoke", headers={"X": Secret("hunter2hunter2")}), target)
    assert finding.output.endswith("x(secret)")


async def test_a_proxy_in_the_environment_is_not_asked(
    checker: OutsideChecker, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with refusing_url() as url:
        monkeypatch.setenv("http_proxy", url)
        assert (await checker.test(HttpTest("smoke"), target)).verdict is Verdict.PASS
