"""Webhooks as hooks and sources, against a real HTTP server."""

from __future__ import annotations

import json
from dataclasses import replace

from aiohttp import web

from bluegreen.gates.outside_checker import OutsideChecker
from bluegreen.model.analysis import WebhookSource
from bluegreen.model.checker import Target
from bluegreen.model.hook import Hook, Moment
from bluegreen.model.secret import Secret
from bluegreen.model.verdict import MAXIMUM_OUTPUT, Finding, Verdict
from tests.gates.web_server import WebServer, breaks_off, endless, never, refusing_url


async def both(checker: OutsideChecker, url: str, target: Target, timeout: float = 5.0) -> list[Finding]:
    """What is found of it as a hook, and as a source."""
    headers = {"Authorization": Secret("Bearer hunter2")}
    return [
        await checker.run_hook(Hook("tell", Moment.BEFORE_SHIFT, url, (), headers, timeout), target),
        await checker.measure(WebhookSource("tell", url, 10.0, timeout, headers), target),
    ]


def verdicts(findings: list[Finding]) -> tuple[Verdict, ...]:
    return tuple(finding.verdict for finding in findings)


async def test_is_told_what_is_going_on(checker: OutsideChecker, server: WebServer, target: Target) -> None:
    server.answer("noted", 202)
    told = replace(target, moment="before-shift", rollout=3, percent=25)
    findings = await both(checker, f"{server.url}/secret/path?token=1", told)

    for finding, asked in zip(findings, server.asked, strict=True):
        assert (finding.verdict, finding.output) == (Verdict.PASS, "noted")
        assert finding.summary == f"{server.url} answered 202"
        assert (asked.method, asked.path) == ("POST", "/secret/path?token=1")
        assert asked.headers["authorization"] == "Bearer hunter2"
        assert asked.headers["content-type"] == "application/json"
        assert json.loads(asked.body) == {
            "service": "shop",
            "version": "v2",
            "revision": 7,
            "environment": "green",
            "key": "key-7",
            "domain": "shop.example",
            "url": server.url,
            "urls": [server.url],
            "moment": "before-shift",
            "rollout": 3,
            "percent": 25,
            "reason": "",
        }


async def test_no_is_no(checker: OutsideChecker, server: WebServer, target: Target) -> None:
    server.answer("not on a Friday", 409)
    findings = await both(checker, server.url, target)

    assert verdicts(findings) == (Verdict.FAIL, Verdict.FAIL)
    assert findings[1].summary == f"{server.url} answered 409; expected 2xx"
    assert findings[1].output == "not on a Friday"


async def test_its_own_failure_is_a_sources_error(
    checker: OutsideChecker, server: WebServer, target: Target
) -> None:
    server.answer("", 502)
    assert verdicts(await both(checker, server.url, target)) == (Verdict.FAIL, Verdict.ERROR)


async def test_a_redirect_is_not_followed(checker: OutsideChecker, server: WebServer, target: Target) -> None:
    for status in (301, 302, 303, 307, 308):
        server.asked.clear()
        server.answer("", status, Location=f"{server.url}/elsewhere")
        findings = await both(checker, server.url, target)
        assert verdicts(findings) == (Verdict.FAIL, Verdict.FAIL)
        assert f"answered {status}, a redirect, which is not followed" in findings[0].summary
        assert [asked.path for asked in server.asked] == ["/", "/"]


async def test_one_that_hangs(checker: OutsideChecker, server: WebServer, target: Target) -> None:
    server.answers = never
    findings = await both(checker, server.url, target, timeout=0.1)

    assert verdicts(findings) == (Verdict.FAIL, Verdict.ERROR)
    for finding in findings:
        assert finding.summary == f"{server.url}: no whole answer within 0.1 s"
        assert finding.seconds < 2


async def test_one_that_breaks_off(checker: OutsideChecker, server: WebServer, target: Target) -> None:
    server.answers = breaks_off
    assert verdicts(await both(checker, server.url, target)) == (Verdict.FAIL, Verdict.ERROR)
    assert len(server.asked) == 2


async def test_nobody_there(checker: OutsideChecker, target: Target) -> None:
    async with refusing_url() as url:
        findings = await both(checker, url, target)
    assert verdicts(findings) == (Verdict.FAIL, Verdict.ERROR)
    assert findings[0].summary == f"{url}: no connection: Connection refused"
    assert verdicts(await both(checker, "nowhere", target)) == (Verdict.FAIL, Verdict.ERROR)
    assert verdicts(await both(checker, "http://[::1", target)) == (Verdict.FAIL, Verdict.ERROR)


async def test_an_endless_answer_is_kept_in_part(
    checker: OutsideChecker, server: WebServer, target: Target
) -> None:
    server.answers = endless
    for finding in await both(checker, server.url, target):
        assert (finding.verdict, len(finding.output)) == (Verdict.PASS, MAXIMUM_OUTPUT)


async def test_a_secret_is_not_shown(checker: OutsideChecker, server: WebServer, target: Target) -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.json_response(dict(request.headers), status=403)

    server.answers = echo
    for finding in await both(checker, server.url.replace("//", "//hunter3:hunter4@"), target):
        assert finding.verdict in {Verdict.FAIL, Verdict.ERROR}
        assert "hunter" not in str(finding)
