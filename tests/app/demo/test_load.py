"""The load counts exactly what went wrong, kind by kind, and nothing else."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Mapping

import pytest

from bluegreen.app.demo.faults import Faults
from bluegreen.app.demo.load import parse
from bluegreen.app.demo.load_process import LoadProcess
from bluegreen.app.demo.load_report import LoadReport
from bluegreen.app.demo.ports import free_port
from bluegreen.app.demo.processes import ChildFailed, ChildProcesses
from tests.support.faulty_backend import (
    HTTP1_FAULTS,
    HTTP2_FAULTS,
    faulty_http1_backend,
    faulty_http2_backend,
)
from tests.support.fixtures import StartApplication, StartEnvoy, StartHttp2Upstream, StartLoad
from tests.support.flood import flood_plan
from tests.support.static_envoy import static_bootstrap


def of_100(faults: Mapping[int, str]) -> Mapping[str, int]:
    """What 100 requests owe to faults by last digit."""
    owed: Counter[str] = Counter()
    for kind in faults.values():
        owed[str(kind)] += 10
    return owed


@pytest.mark.parametrize("protocol", ["http1", "http2"])
async def test_each_kind_of_failure_is_counted(load: StartLoad, protocol: str) -> None:
    backend, faults = {
        "http1": (faulty_http1_backend, HTTP1_FAULTS),
        "http2": (faulty_http2_backend, HTTP2_FAULTS),
    }[protocol]
    async with backend() as address:
        running = await load(
            f"http://{address}", rate=200, duration=0.5, timeout=0.5, slow_share=0, protocols=(protocol,)
        )
        whole = await running.finished()
    assert whole.requests == 100
    assert whole.failures == of_100(faults)
    assert whole.versions == {"v1": 100 - whole.failed}
    assert len(whole.examples) == 5


async def test_what_a_backend_breaks_is_seen_through_a_real_envoy(envoy: StartEnvoy, load: StartLoad) -> None:
    async with faulty_http1_backend() as address:
        proxy = await envoy(static_bootstrap(address))
        running = await load(
            await proxy.url("entry"), rate=200, duration=0.5, timeout=2, slow_share=0, protocols=("http1",)
        )
        whole = await running.finished()
    assert whole.requests == 100
    assert whole.failures == {
        "status 503": 30,  # its own, and what Envoy makes of a connection closed or reset before an answer
        "status 502": 10,  # what is no HTTP
        "truncated": 10,
        "no version": 10,
        "wrong body": 10,
        "timeout": 10,
    }
    assert whole.connections.lost == 10  # Envoy can tell of a truncated answer in no other way


async def test_what_a_version_damages_on_purpose_is_counted_apart(
    application: StartApplication, envoy: StartEnvoy, load: StartLoad
) -> None:
    failing = await application("v4", faults=Faults(fail_every=10))
    slow = await application("v5", faults=Faults(slow=0.05, slow_after=20))
    proxy = await envoy(static_bootstrap(failing.address, slow.address))
    reports: list[LoadReport] = []
    began = time.time()
    running = await load(
        await proxy.url("entry"), rate=200, duration=1.0, slow_seconds=0.2, on_report=reports.append
    )
    whole = await running.finished()
    assert (whole.requests, whole.failures) == (200, {}), whole.examples
    sent = {"v4": whole.versions["v4"] + whole.damage["v4"].failed, "v5": whole.versions["v5"]}
    assert sum(sent.values()) == 200
    assert (whole.damage["v4"].failed, whole.damage["v4"].late) == ((sent["v4"] + 5) // 10, 0)
    assert (whole.damage["v5"].failed, whole.damage["v5"].late) == (0, sent["v5"] - 20)
    assert began < whole.damage["v4"].first_at < time.time()
    assert running.reports.damage == whole.damage
    assert sum(report.damage["v4"].failed for report in reports[:-1] if "v4" in report.damage) == (
        whole.damage["v4"].failed
    )


async def test_nobody_listening_is_a_failure(load: StartLoad) -> None:
    running = await load(f"http://127.0.0.1:{free_port()}", rate=100, duration=0.2)
    whole = await running.finished()
    assert (whole.requests, whole.failures) == (20, {"connect": 20})
    assert "Connect" in whole.examples[0]


async def test_a_server_of_the_other_protocol_is_a_failure(
    application: StartApplication, load: StartLoad
) -> None:
    process = await application("v1")
    running = await load(process.url, rate=50, duration=0.2, protocols=("http2",))
    whole = await running.finished()
    assert (whole.requests, whole.failures) == (10, {"connect": 10})


async def test_a_sound_release_loses_nothing(
    application: StartApplication, envoy: StartEnvoy, load: StartLoad
) -> None:
    backends = [(await application(version)).address for version in ("v1", "v2")]
    proxies = [await envoy(static_bootstrap(*backends), name=name) for name in ("edge", "sidecar")]
    urls = [await proxy.url("entry") for proxy in proxies]
    reports: list[LoadReport] = []
    running = await load(
        *urls, rate=400, duration=1.0, slow_seconds=0.3, authority="shop.example", on_report=reports.append
    )
    whole = await running.finished()
    assert whole.failures == {}
    assert whole.requests == 400
    assert set(whole.targets) == {url.removeprefix("http://") for url in urls}
    assert {tally.requests for tally in whole.targets.values()} == {200}
    assert abs(whole.versions["v1"] - 200) < 10
    assert whole.connections.lost == 0
    assert 0 < whole.latency.p50 <= whole.latency.p90 <= whole.latency.p99 <= whole.latency.highest
    *intervals, final = reports
    assert final == whole
    assert sum(report.requests for report in intervals) == 400
    assert sum((Counter(report.versions) for report in intervals), Counter()) == whole.versions
    assert (running.reports.requests, running.reports.failed) == (400, 0)


async def test_stopping_finishes_what_is_in_flight(application: StartApplication, load: StartLoad) -> None:
    process = await application("v1")
    running = await load(
        process.url, rate=100, slow_share=1.0, slow_seconds=0.6, protocols=("http1",), interval=0.1
    )
    await running.until(lambda report: report.in_flight >= 20)
    whole = await running.stop()
    assert whole.requests >= 20
    assert (whole.failed, whole.in_flight) == (0, 0)


async def test_a_stall_shows_in_all_requests_that_should_have_begun(
    application: StartApplication, load: StartLoad
) -> None:
    process = await application("v1")
    running = await load(
        process.url, rate=100, duration=1.2, slow_share=0, protocols=("http1",), interval=0.1
    )
    process.child.send(signal.SIGSTOP)
    started = running.reports.requests
    await running.until(lambda report: report.in_flight >= 60)
    process.child.send(signal.SIGCONT)
    whole = await running.finished()
    assert (whole.requests, whole.failed) == (120, 0)
    assert whole.latency.highest >= 0.5
    assert whole.latency.p90 >= 0.4
    assert started < 60


async def test_lost_connections_are_counted_though_no_request_fails(
    application: StartApplication, envoy: StartEnvoy, load: StartLoad
) -> None:
    process = await application("v1")
    options = ("--drain-strategy", "immediate")
    proxy = await envoy(static_bootstrap(process.address), more=options)
    running = await load(await proxy.url("entry"), rate=200, slow_seconds=0.5)
    # Envoy ends its connections as politely as HTTP allows: `Connection: close`, and GOAWAY for HTTP/2.
    await proxy.admin.post("/drain_listeners?graceful&skip_exit")
    await running.until(lambda report: report.connections.lost >= 10)
    whole = await running.stop()
    assert whole.failures == {}, whole.examples
    assert whole.connections.lost >= 10
    assert whole.connections.opened >= whole.connections.lost


async def test_a_thousand_requests_in_flight_are_all_answered(
    application: StartApplication, envoy: StartEnvoy, children: ChildProcesses
) -> None:
    process = await application("v1")
    proxy = await envoy(static_bootstrap(process.address))
    running = await LoadProcess.start(
        children, flood_plan(await proxy.url("entry"), requests=1_000, seconds=4.0)
    )
    await running.until(lambda report: report.in_flight == 1_000)
    assert await proxy.admin.stats(r"cluster\.backends\.upstream_rq_active$") == {
        "cluster.backends.upstream_rq_active": 1_000
    }
    whole = await running.finished()
    assert (whole.requests, whole.failed, whole.versions) == (1_000, 0, {"v1": 1_000})


async def test_an_http2_upstream_is_answered_for_as_well(
    http2_upstream: StartHttp2Upstream, envoy: StartEnvoy, load: StartLoad
) -> None:
    proxy = await envoy(static_bootstrap(await http2_upstream("v1"), await http2_upstream("v2"), http2=True))
    running = await load(await proxy.url("entry"), rate=400, duration=0.5, slow_seconds=0.2)
    whole = await running.finished()
    assert (whole.requests, whole.failures) == (200, {})
    assert set(whole.versions) == {"v1", "v2"}


async def test_a_load_that_dies_is_told(application: StartApplication, load: StartLoad) -> None:
    process = await application("v1")
    running = await load(process.url, rate=10)
    running.child.send(signal.SIGKILL)
    with pytest.raises(ChildFailed, match="load ended with status -9"):
        await running.until(lambda report: report.final)
    with pytest.raises(ChildFailed, match="load ended with status -9"):
        await running.stop()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "--target"),
        (("--target=https://a:1",), "not of the form http://HOST:PORT"),
        (("--target=http://a:1/path",), "not of the form http://HOST:PORT"),
        (("--target=http://a:1", "--rate=0"), "above 0"),
        (("--target=http://a:1", "--slow-seconds=20"), "less time than the timeout"),
        (("--target=http://a:1", "--protocol=spdy"), "--protocol"),
    ],
)
def test_a_mistake_on_the_command_line_is_told(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], complaint: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse([*arguments])
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err
