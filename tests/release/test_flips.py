"""Traffic that moves back and forth under load loses nothing."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from bluegreen.switches.envoy.bootstrap import XdsProtocol
from tests.release.world import World
from tests.support.fixtures import StartApplication, StartLoad

FLIPS = 60


@pytest.mark.parametrize("protocol", list(XdsProtocol))
async def test_sixty_flips_under_load_lose_no_request(
    world: World, application: StartApplication, load: StartLoad, protocol: XdsProtocol
) -> None:
    await world.start(protocol=protocol, health_check={"path": "/healthz", "interval": "500ms"})
    blue = [(await application("v1", environment="blue")).address for _ in range(2)]
    green = [(await application("v2", environment="green")).address for _ in range(2)]
    await world.release("v1", blue)
    running = await load(*world.entries(), rate=300.0)
    await world.release("v2", green)
    slowest = 0.0
    for _ in range(FLIPS):
        status = await world.finished(await world.rollback(force=True))
        slowest = max(slowest, status.rollout.seconds_to_last_ack)
        assert status.rollout.state == "completed"
    report = await running.stop()
    assert report.failed == 0, report.examples
    assert report.connections.lost == 0, "a move closes no connection"
    assert set(report.versions) == {"v1", "v2"}
    assert min(report.versions.values()) > 50, report.versions
    assert slowest < 30.0


async def test_steps_divide_the_traffic_as_they_say(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    await world.start(strategy={"steps": [10, 50, 100], "pause": "manual"})
    await world.release("v1", [(await application("v1")).address])
    await world.deploy("v2", [(await application("v2")).address])
    running = await load(*world.entries(), rate=300.0)
    shares = []
    for percent in (10, 50, 100):
        await world.promote()
        await world.when(
            lambda s, p=percent: s.rollout.percent == p and s.rollout.state in ("holding", "completed")
        )
        await running.until(lambda report: True)  # an interval that may be half before the step
        counts: dict[str, int] = {}
        for _ in range(4):
            report = await running.until(lambda report: True)
            for version, count in report.versions.items():
                counts[version] = counts.get(version, 0) + count
        shares.append(counts.get("v2", 0) / sum(counts.values()))
    whole = await running.stop()
    assert whole.failed == 0, whole.examples
    assert 0.02 < shares[0] < 0.25
    assert 0.35 < shares[1] < 0.65
    assert shares[2] > 0.97, "only answers that were under way come from the old side"


async def test_the_preview_listener_reaches_the_idle_environment_only(
    world: World, application: StartApplication
) -> None:
    await world.start()
    await world.release("v1", [(await application("v1")).address])
    await world.deploy("v2", [(await application("v2")).address])
    async with aiohttp.ClientSession() as client:

        async def version(port: int) -> str | None:
            async with client.get(f"http://127.0.0.1:{port}/") as answer:
                return answer.headers.get("x-version")

        previews = await asyncio.gather(*map(version, world.ports.preview.values()))
        productions = await asyncio.gather(*map(version, world.ports.production.values()))
    assert (previews, productions) == (["v2", "v2"], ["v1", "v1"])
