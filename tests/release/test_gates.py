"""Nothing takes traffic untested, and a bad version turns itself back: with real Envoys, under load."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.app.demo.load_process import LoadProcess
from tests.release.world import ORIGIN, SHOP, World
from tests.support.fixtures import StartApplication, StartLoad
from tests.support.flawed_application import FlawedApplication, flawed_application

HEALTH = {"path": "/healthz", "interval": "500ms"}
FLUSH = 1.0
"""Seconds between two reports of a proxy: as in production."""

QUICK = {"window": "10s"}


def in_steps(percent: int) -> dict[str, Any]:
    return {"steps": [{"percent": percent, "pause": "60s"}, 100]}


async def candidate(
    world: World, load: StartLoad, v1: str, v2: FlawedApplication, percent: int
) -> LoadProcess:
    """v1 has the traffic, 300 requests a second; v2 is about to get a share."""
    await world.release("v1", [v1])
    await world.deploy("v2", [v2.address])
    running = await load(*world.entries(), rate=300.0)
    await running.until(lambda report: True)
    await world.promote()
    await world.when(lambda status: status.rollout.percent == percent)
    return running


async def turned_back(world: World, revision: int = 2) -> pb.Event:
    """The event that tells of the last acknowledgement of the way back."""
    await world.until(revision, "failed", timeout=60.0)
    events = await world.events()
    return next(each for each in reversed(events) if each.what == "rollout-finished")


@dataclass(frozen=True)
class Bad:
    """Each so many-th answer is a 500, at this percent of the traffic; how soon it must be told."""

    fail_every: int
    percent: int
    flushes: int


@pytest.mark.parametrize("bad", [Bad(20, 10, flushes=10), Bad(2, 50, flushes=3)], ids=str)
async def test_a_version_that_answers_with_errors_is_turned_back_within_a_few_flushes(
    world: World,
    application: StartApplication,
    load: StartLoad,
    bad: Bad,
) -> None:
    world.flush_interval = FLUSH
    analysis = {**QUICK, "conditions": ["success_rate >= 99"]}
    await world.start(health_check=HEALTH, strategy=in_steps(bad.percent), gates={"analysis": analysis})
    async with flawed_application("v2") as v2:
        v2.fail_every = bad.fail_every
        running = await candidate(world, load, (await application("v1")).address, v2, bad.percent)
        finished = await turned_back(world)
        assert v2.first_failure_at is not None
        took = finished.at - v2.first_failure_at
        asked = v2.answers
        report = await running.stop()
        assert took <= bad.flushes * FLUSH, f"{took:.2f} s: {finished.message}"
        assert report.failed == v2.failures, "no other request was harmed"
        assert v2.answers - asked < 20, "it gets nothing any more"
    verdicts = [each.message for each in await world.events() if each.what == "checked"]
    assert "success_rate" in verdicts[-1]
    assert "first bad answer" in finished.message


async def test_a_version_that_turns_slow_is_turned_back(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    analysis = {**QUICK, "conditions": ["p90 <= 5 x active"]}
    await world.start(health_check=HEALTH, strategy=in_steps(50), gates={"analysis": analysis})
    async with flawed_application("v2") as v2:
        running = await candidate(world, load, (await application("v1")).address, v2, 50)
        v2.delay = 1.0
        await turned_back(world)
        report = await running.stop()
        assert report.failed == 0, "slow answers are answers"


async def test_a_version_that_turns_bad_with_all_traffic_is_rolled_back_while_the_old_one_is_warm(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    analysis = {**QUICK, "conditions": ["success_rate >= 99", "p99 <= 1.2 x active"]}
    await world.start(health_check=HEALTH, gates={"analysis": analysis})
    async with flawed_application("v2") as v2:
        running = await candidate(world, load, (await application("v1")).address, v2, 100)
        await world.until(1, "standby")
        assert v2.answers > 0
        v2.fail_every = 10
        await world.until(1, "active")
        report = await running.stop()
        assert report.failed == v2.failures
    (rolled_back,) = [each for each in await world.events() if each.what == "reactivated"]
    assert rolled_back.actor == "controller"


async def test_a_good_version_passes_its_steps(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    analysis = {"window": "4s", "conditions": ["success_rate >= 99.9", "p99 <= 20 x active"]}
    steps = {"steps": [{"percent": 25, "pause": "4s"}, {"percent": 50, "pause": "4s"}, 100]}
    await world.start(health_check=HEALTH, strategy=steps, gates={"analysis": analysis})
    async with flawed_application("v2") as v2:
        running = await candidate(world, load, (await application("v1")).address, v2, 25)
        await world.until(2, "active")
        report = await running.stop()
        assert report.failed == 0, report.examples
    verdicts = [each.message for each in await world.events() if each.what == "checked"]
    assert ["is pass" in each for each in verdicts] == [True, True], verdicts


async def test_too_few_requests_pause_the_rollout(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    analysis = {"window": "2s", "conditions": ["success_rate >= 99"], "min_requests": 50}
    steps = {"steps": [{"percent": 10, "pause": "2s"}, 100]}
    await world.start(health_check=HEALTH, strategy=steps, gates={"analysis": analysis})
    async with flawed_application("v2") as v2:
        await world.release("v1", [(await application("v1")).address])
        await world.deploy("v2", [v2.address])
        running = await load(*world.entries(), rate=20.0)
        await world.promote()
        status = await world.when(lambda status: status.rollout.state == "paused")
        assert "too few" in status.rollout.reason
        await world.promote()  # somebody takes it on
        await world.until(2, "active")
        report = await running.stop()
        assert report.failed == 0, report.examples


SMOKE = {"name": "smoke", "http": {"path": "/smoke", "expect": {"status": 200}}, "repeat": 5}


async def test_a_version_that_fails_its_smoke_test_never_gets_a_production_request(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    broken = {"name": "broken", "http": {"path": "/smoke", "expect": {"body": "v3"}}}
    await world.start(health_check=HEALTH)
    await world.release("v1", [(await application("v1")).address])
    await world.apply(world.described(health_check=HEALTH, gates={"tests": [SMOKE, broken]}))
    async with flawed_application("v2") as v2:
        running = await load(*world.entries(), rate=100.0)
        answer = await world.admin.Deploy(
            pb.DeployRequest(origin=ORIGIN, service=SHOP, version="v2", endpoints=[v2.address])
        )
        await world.until(answer.deployment_revision, "failed")
        with pytest.raises(grpc.aio.AioRpcError, match="nothing to promote"):
            await world.promote()
        report = await running.stop()
        assert report.failed == 0, report.examples
        assert report.versions.keys() == {"v1"}
        # Both gateways' previews were asked: 5 times the one, once the other, which failed at once.
        assert v2.paths["/smoke"] >= 10
        assert v2.answers == 0
    (failed,) = [each for each in await world.events() if each.what == "failed"]
    assert "smoke" in failed.message


async def test_killed_in_the_middle_of_its_tests_it_runs_them_again_and_goes_on(
    world: World, application: StartApplication, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    script = f'echo "$BLUEGREEN_KEY $BLUEGREEN_VERSION" >> {runs}; sleep 1.5'
    test = {"name": "integration", "command": ["sh", "-c", script]}
    child = await world.start(health_check=HEALTH, gates={"tests": [test]})
    answer = await world.admin.Deploy(
        pb.DeployRequest(
            origin=ORIGIN, service=SHOP, version="v1", endpoints=[(await application("v1")).address]
        )
    )
    await world.happens("check-wanted")
    deadline = time.monotonic() + 10
    while not runs.exists() and time.monotonic() < deadline:
        await world.status()
    child.send(signal.SIGKILL)
    await child.exited()
    await world.start_control_plane()
    await world.until(answer.deployment_revision, "ready")
    lines = runs.read_text().splitlines()
    assert len(lines) == 2
    assert len(set(lines)) == 1, "both runs had one key"
