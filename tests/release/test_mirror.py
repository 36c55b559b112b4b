"""Copies to a candidate that is slow, through a whole release: they cost no request, and end with it."""

from __future__ import annotations

import asyncio

from tests.release.world import World
from tests.support.fixtures import StartApplication, StartLoad


async def copies(world: World) -> dict[str, int]:
    """How many copies the edge has sent, by cluster."""
    figures = await world.proxies["edge"].admin.stats(r"^cluster\..*/mirror\.upstream_rq_total")
    return {name.split(".")[1]: count for name, count in figures.items()}


async def test_copies_to_a_candidate_that_is_slow_cost_nothing(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    await world.start(
        mirror={"percent": 50, "methods": "all"}, strategy={"steps": [50, 100], "pause": "manual"}
    )
    await world.release("v1", [(await application("v1")).address])
    running = await load(*world.entries(), rate=200.0)
    assert await copies(world) == {}, "there is no candidate"

    await world.deploy("v2", [(await application("v2", latency=3.0)).address])
    await running.until(lambda report: report.latency.highest > 0 and report.versions.get("v1", 0) > 0)
    before = [await running.until(lambda report: True) for _ in range(8)]
    assert all(report.failed == 0 for report in before)
    assert max(report.latency.p90 for report in before) < 1.0, "nobody waits for the candidate"
    status = await world.status()
    candidate = next(d for d in status.deployments if d.version == "v2")
    assert (candidate.requests, candidate.set_percent) == (0, 0), "copies are in nobody's figures"
    assert (await copies(world))["bluegreen/shop/2/mirror"] > 20
    whole = await running.stop()
    assert whole.failed == 0, whole.examples

    await world.promote(full=True)
    await world.until(2, "active")
    await world.until(1, "standby")
    assert all(not name.startswith("bluegreen/shop/1") for name in await copies(world)), "none go back"


async def test_a_release_with_copies_loses_nothing(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    await world.start(mirror={"percent": 100}, strategy={"steps": [50, 100], "pause": "manual"})
    await world.release("v1", [(await application("v1")).address])
    running = await load(*world.entries(), rate=200.0)
    await world.deploy("v2", [(await application("v2")).address])
    for percent in (50, 100):
        await world.promote()
        await world.when(
            lambda s, p=percent: s.rollout.percent == p and s.rollout.state in ("holding", "completed")
        )
        await asyncio.sleep(0.5)  # under load
    await world.finished(await world.rollback())
    report = await running.stop()
    assert report.failed == 0, report.examples
    assert report.connections.lost == 0
