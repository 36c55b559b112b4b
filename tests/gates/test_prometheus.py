"""Prometheus as a source: a real one, and what pretends to be one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bluegreen.app.demo.processes import ChildProcesses
from bluegreen.gates.outside_checker import OutsideChecker
from bluegreen.gates.prometheus import UnsafeValue, fill
from bluegreen.model.analysis import PrometheusSource
from bluegreen.model.checker import Target
from bluegreen.model.condition import Comparison
from bluegreen.model.secret import Secret
from bluegreen.model.verdict import Finding, Verdict
from tests.gates.prometheus_server import start_prometheus
from tests.gates.web_server import WebServer, endless, never, refusing_url

SERIES = {
    'error_ratio{service="shop",version="v2",revision="7"}': 0.25,
    'error_ratio{service="shop",version="v1",revision="6"}': 0.5,
    'requests{service="shop",environment="green"}': 0.0,
}
FILLED = 'error_ratio{service="{service}",version="{version}",revision="{revision}"}'


def source(
    url: str, query: str, comparison: Comparison = Comparison.AT_MOST, threshold: float = 0.3
) -> PrometheusSource:
    return PrometheusSource("errors", url, query, comparison, threshold)


async def test_a_real_prometheus(
    checker: OutsideChecker, target: Target, children: ChildProcesses, tmp_path: Path
) -> None:
    url = await start_prometheus(children, tmp_path, SERIES)

    async def measure(query: str, comparison: str = "<=", threshold: float = 0.3) -> Finding:
        return await checker.measure(source(url, query, Comparison(comparison), threshold), target)

    passed = await measure(FILLED)
    assert (passed.verdict, passed.summary) == (Verdict.PASS, "0.25 is <= 0.3")
    assert passed.output == 'error_ratio{service="shop",version="v2",revision="7"}'
    failed = await measure(FILLED, "<", 0.25)
    assert (failed.verdict, failed.summary) == (Verdict.FAIL, "0.25 is not < 0.25")
    assert (await measure(FILLED, ">=", 0.25)).verdict is Verdict.PASS
    assert (await measure(FILLED, ">", 0.25)).verdict is Verdict.FAIL
    assert (await measure("sum by (service) (error_ratio)", "<=", 0.75)).verdict is Verdict.PASS
    assert (await measure("scalar(count(error_ratio))", ">=", 2)).verdict is Verdict.PASS

    nothing = await measure('error_ratio{service="{service}",version="v9"}')
    assert (nothing.verdict, nothing.summary) == (
        Verdict.INCONCLUSIVE,
        "no data: the query's result is empty",
    )
    for query, words in (
        ("error_ratio", "the result has 2 elements; expected one"),
        ('requests{environment="{environment}"} / requests', "the value is NaN"),
        ("error_ratio[1m]", "the result is a matrix"),
        ('"text"', "the result is a string"),
        ("error_ratio{", 'answered 400: Prometheus says \'invalid parameter "query"'),
        ("", "answered 400: Prometheus says"),
    ):
        finding = await measure(query)
        assert finding.verdict is Verdict.ERROR, finding
        assert words in finding.summary


async def test_what_is_asked(checker: OutsideChecker, server: WebServer, target: Target) -> None:
    server.answer('{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}')
    behind = source(f"{server.url}/prometheus/", "a + b", Comparison.LESS, 2)
    finding = await checker.measure(replace(behind, headers={"Authorization": Secret("Bearer x")}), target)

    assert finding.summary == "1 is < 2"
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/prometheus/api/v1/query")
    assert asked.headers["authorization"] == "Bearer x"
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked.body == "query=a+%2B+b&timeout=5.000"


async def test_what_is_no_prometheus_is_an_error(
    checker: OutsideChecker, server: WebServer, target: Target
) -> None:
    async def error_of(url: str = server.url) -> str:
        finding = await checker.measure(replace(source(url, "up"), timeout=0.3), target)
        assert finding.verdict is Verdict.ERROR, finding
        return finding.summary

    server.answer("<html>welcome</html>")
    assert await error_of() == "the answer is no JSON"
    server.answer("", 307, Location="/elsewhere")
    assert await error_of() == f"{server.url} answered 307, a redirect, which is not followed"
    server.answer("no", 401)
    assert await error_of() == f"{server.url} answered 401: the answer is no JSON"
    server.answers = never
    assert await error_of() == f"{server.url}: no whole answer within 0.3 s"
    server.answers = endless
    assert await error_of() == "the answer is longer than 1048576 bytes"
    async with refusing_url() as url:
        assert await error_of(url) == f"{url}: no connection: Connection refused"
    assert "no URL" in await error_of("prometheus")


def test_only_the_four_placeholders_are_filled(target: Target) -> None:
    query = 'a{b="c",service="{service}"} + {version="{version}"} + {revision}{environment} {Service} {}'
    assert fill(query, target) == 'a{b="c",service="shop"} + {version="v2"} + 7green {Service} {}'


def test_what_is_filled_in_is_not_filled_again(target: Target) -> None:
    assert fill("{service}", replace(target, service="{version}")) == "{version}"


@pytest.mark.parametrize("value", ['"', "'", "`", "\\", "\n", "\0"])
async def test_a_value_that_could_end_its_string_is_refused(
    checker: OutsideChecker, target: Target, value: str
) -> None:
    unsafe = replace(target, version=f"v{value}2")
    with pytest.raises(UnsafeValue):
        fill("{version}", unsafe)
    finding = await checker.measure(source("http://127.0.0.1:1", "{version}"), unsafe)
    assert finding.verdict is Verdict.ERROR
    assert fill("up", unsafe) == "up"
