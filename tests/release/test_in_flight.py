"""Ten thousand requests in flight are all answered, by the side that they went to."""

from __future__ import annotations

from bluegreen.app.demo.load_process import LoadProcess
from bluegreen.app.demo.processes import ChildProcesses
from tests.release.world import World
from tests.support.flood import flood_plan
from tests.support.http2_upstream import start_http2_upstream

REQUESTS = 10_000


async def test_a_flip_with_ten_thousand_requests_in_flight_loses_none(
    world: World, children: ChildProcesses
) -> None:
    await world.start(upstream={"protocol": "http2"}, routes=[{"prefix": "/", "timeout": "60s"}])
    await world.release("v1", [await start_http2_upstream(children, "v1") for _ in range(2)])
    await world.deploy("v2", [await start_http2_upstream(children, "v2") for _ in range(2)])
    flood = await LoadProcess.start(children, flood_plan(*world.entries(), requests=REQUESTS, seconds=15.0))
    await flood.until(lambda report: report.in_flight == REQUESTS, 30)
    status = await world.finished(await world.promote(full=True))
    assert status.rollout.state == "completed"
    held = await world.when(
        lambda s: any(d.revision == 1 and d.active_requests == REQUESTS for d in s.deployments), 10
    )
    assert {d.revision: d.status for d in held.deployments}[1] == "draining"
    report = await flood.finished()
    assert report.failed == 0, report.examples
    assert report.versions == {"v1": REQUESTS}, "what was under way finished where it began"
    drained = await world.until(1, "standby")
    note = next(d.note for d in drained.deployments if d.revision == 1)
    assert note.startswith("idle on all 2 proxies"), note
