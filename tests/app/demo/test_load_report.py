"""The mix of the load, and what its reports say."""

from __future__ import annotations

from collections import Counter

import pytest

from bluegreen.app.demo.exchange import Answer, Failure, RequestFailed, fault_of
from bluegreen.app.demo.faults import FAULT_HEADER
from bluegreen.app.demo.load_plan import LoadPlan, Protocol, Target, shot
from bluegreen.app.demo.load_recorder import LoadRecorder, latency_of
from bluegreen.app.demo.load_report import Damage, Latency, LoadReport

EDGE, SIDECAR = Target("127.0.0.1", 10_000), Target("127.0.0.1", 10_001)
PLAN = LoadPlan((EDGE, SIDECAR))


def test_every_combination_of_target_protocol_and_method_occurs_evenly() -> None:
    shots = [shot(PLAN, number) for number in range(1_600)]
    quick = Counter((s.target, s.protocol, s.request.method) for s in shots if not s.seconds)
    assert len(quick) == 2 * 2 * 2
    assert min(count for (_, _, method), count in quick.items() if method == "POST") >= 90
    slow = Counter((s.target, s.protocol) for s in shots if s.seconds)
    assert sum(slow.values()) == 33
    assert set(slow.values()) == {7, 8, 9}
    assert {s.request.path for s in shots if s.seconds} >= {"/slow?seconds=1&request=0"}


def test_the_authority_is_the_targets_own_unless_given() -> None:
    assert shot(PLAN, 1).request.authority == "127.0.0.1:10001"
    assert shot(LoadPlan((EDGE,), authority="shop.example"), 1).request.authority == "shop.example"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1", "https://127.0.0.1:1", "127.0.0.1:1", "http://a:0", "http://a:x"]
)
def test_a_target_is_a_url_with_a_port(url: str) -> None:
    with pytest.raises(ValueError, match=r"form http://HOST:PORT|[Pp]ort"):
        Target.parse(url)


def test_a_target_may_be_ipv6() -> None:
    assert Target.parse("http://[::1]:80").name == "[::1]:80"


def test_latency_is_less_the_time_that_was_asked_for() -> None:
    recorder = LoadRecorder()
    slow = shot(LoadPlan((EDGE,), slow_share=1.0), 0)
    recorder.answered(slow, "v1", 1.005)
    assert recorder.interval(2.0).latency.highest == 0.005


def test_quantiles() -> None:
    assert latency_of(Counter()) == Latency()
    assert latency_of(Counter({10 * n: 1 for n in range(1, 101)})) == Latency(0.05, 0.09, 0.099, 0.1)
    assert latency_of(Counter({10: 99, 10_000: 1})) == Latency(0.001, 0.001, 0.001, 1.0)


def test_intervals_begin_anew_and_the_whole_does_not() -> None:
    recorder = LoadRecorder()
    recorder.in_flight = 3
    recorder.answered(shot(PLAN, 1), "v1", 0.01)
    recorder.failed(shot(PLAN, 2), RequestFailed(Failure.RESET, "peer"), 0.2)
    recorder.opened()
    first = recorder.interval(0.25)
    recorder.answered(shot(PLAN, 3), "v2", 0.01)
    recorder.lost()
    second = recorder.interval(0.5)
    whole = recorder.whole(0.5)
    assert (first.requests, first.failed, first.versions, first.span) == (2, 1, {"v1": 1}, 0.25)
    assert (second.requests, second.failed, second.versions, second.span) == (1, 0, {"v2": 1}, 0.25)
    assert (whole.requests, whole.failures, whole.versions) == (3, {"reset": 1}, {"v1": 1, "v2": 1})
    assert (whole.final, whole.in_flight, whole.span) == (True, 3, 0.5)
    assert (whole.connections.opened, whole.connections.lost) == (1, 1)
    assert whole.examples == ("at 0.200 s, GET /?request=2 through 127.0.0.1:10000 by http2: reset: peer",)


def test_damage_on_purpose_is_no_failure_and_remembers_its_first() -> None:
    recorder = LoadRecorder()
    recorder.spoiled(shot(PLAN, 1), "v4", 100.0)
    recorder.answered(shot(PLAN, 2), "v5", 0.3)
    recorder.late("v5", 101.0)
    first = recorder.interval(0.25)
    recorder.spoiled(shot(PLAN, 3), "v4", 102.0)
    second = recorder.interval(0.5)
    whole = recorder.whole(0.5)
    assert (first.requests, first.failed, first.versions) == (2, 0, {"v5": 1})
    assert first.damage == {"v4": Damage(failed=1, first_at=100.0), "v5": Damage(late=1, first_at=101.0)}
    assert second.damage == {"v4": Damage(failed=1, first_at=102.0)}
    assert whole.damage == {"v4": Damage(failed=2, first_at=100.0), "v5": Damage(late=1, first_at=101.0)}


@pytest.mark.parametrize(
    ("status", "version", "mark", "fault"),
    [
        (500, "v4", "v4", "v4"),
        (200, "v5", "v5", "v5"),
        (500, "v4", None, ""),
        (503, "v4", "v4", ""),  # not what the application says when it fails on purpose
        (500, "v2", "v4", ""),
        (500, None, "v4", ""),
    ],
)
def test_only_a_versions_own_mark_excuses_it(
    status: int, version: str | None, mark: str | None, fault: str
) -> None:
    told = {"x-version": version, FAULT_HEADER: mark}
    headers = {name: value for name, value in told.items() if value is not None}
    assert fault_of(Answer(status, headers, b"")) == fault


def test_a_report_survives_its_json() -> None:
    recorder = LoadRecorder()
    recorder.spoiled(shot(PLAN, 3), "v4", 100.0)
    recorder.answered(shot(PLAN, 1), "v1", 0.01)
    recorder.failed(shot(PLAN, 2), RequestFailed(Failure.RESET, "peer"), 0.2)
    report = recorder.whole(1.0)
    assert LoadReport.from_json(report.to_json()) == report
    assert "\n" not in report.to_json()


@pytest.mark.parametrize("line", ["", "nonsense", "[]", "{}", '{"targets": {}}', "3"])
def test_what_is_no_report_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        LoadReport.from_json(line)


def test_protocols_are_named_as_on_the_command_line() -> None:
    assert [str(protocol) for protocol in Protocol] == ["http1", "http2"]
