"""An instance dies, in either environment, at any stage: it comes back or the rollout waits, counted."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from bluegreen.admin.v1 import admin_pb2 as pb
from tests.release.test_instances import (
    HEALTH,
    RATE,
    Machine,
    children,
    deploy,
    instances_when,
    machine,
    release,
    up,
)
from tests.release.world import LOOPBACK, World
from tests.support.exits import gone
from tests.support.fixtures import StartLoad

__all__ = ["children", "machine"]

STEPS = {"steps": [50, 100], "step_deadline": "3s"}


async def counted(world: World, metric: str, **labels: str) -> float:
    """A metric of the control plane, all series with these labels added up."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{LOOPBACK}:{world.ports.http}/metrics") as response,
    ):
        text = await response.text()
    wanted = [f'{name}="{value}"' for name, value in labels.items()]
    return sum(
        float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if re.match(rf"{metric}\{{", line) and all(each in line for each in wanted)
    )


async def holds_at_half(world: World) -> None:
    await world.promote()
    await world.when(lambda status: status.rollout.percent == 50 and status.rollout.state == "holding")


async def ready(world: World) -> None:
    await world.until(2, "ready")


async def at_half(world: World) -> None:
    await ready(world)
    await holds_at_half(world)


async def over(world: World) -> None:
    await at_half(world)
    await world.promote()
    await world.until(2, "active")
    await world.until(1, "standby")


@pytest.mark.parametrize(
    ("stage", "victim"),
    [(ready, "v2"), (at_half, "v1"), (at_half, "v2"), (over, "v1"), (over, "v2")],
    ids=["candidate ready", "active at half", "candidate at half", "standby", "active after it"],
)
async def test_one_that_is_killed_comes_back_and_is_counted(
    world: World, load: StartLoad, machine: Machine, stage: Callable[[World], Awaitable[None]], victim: str
) -> None:
    await world.start(
        health_check=HEALTH, strategy=STEPS, instances={"count": 2, "process": machine.template()}
    )
    await release(world, "v1")
    running = await load(*world.entries(), rate=RATE)
    await deploy(world, "v2")
    await stage(world)
    killed = machine.running(victim)[0]
    os.kill(killed.pid, signal.SIGKILL)
    await gone(killed.pid)
    revision, environment = (1, "blue") if victim == "v1" else (2, "green")
    instances = await instances_when(
        world, lambda all_of: up(2)(all_of) and sum(each.restarts for each in all_of) == 1, revision
    )
    assert {each.restarts for each in instances if each.endpoint.endswith(f":{killed.port}")} == {1}
    assert await counted(world, "bluegreen_instance_restarts_total", environment=environment) == 1
    assert await counted(world, "bluegreen_instance_restarts_total") == 1
    waited = await counted(
        world, "bluegreen_instance_changes_total", environment=environment, state="waiting"
    )
    assert waited == 1
    await world.when(lambda status: _healthy(status, revision) == {2})
    if stage is not over:
        if stage is ready:
            await holds_at_half(world)
        await world.promote()
        await world.until(2, "active")
    report = await running.stop()
    assert report.failures.keys() <= {"status 503"}, report.examples
    assert report.failed <= 5, report.examples
    assert all("POST" in each for each in report.examples), report.examples


def _healthy(status: pb.ServiceStatus, revision: int) -> set[int]:
    return {each.healthy for proxy in status.proxies for each in proxy.backends if each.revision == revision}


async def test_one_that_does_not_come_back_holds_the_rollout_up(
    world: World, machine: Machine, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    template = machine.template()
    script = f'if test -e {broken}; then echo "no disk left"; exit 9; fi; exec "$@"'
    template["command"] = ["sh", "-c", script, "sh", *template["command"]]
    await world.start(health_check=HEALTH, strategy=STEPS, instances={"count": 2, "process": template})
    await release(world, "v1")
    await deploy(world, "v2")
    await at_half(world)
    broken.touch()
    killed = machine.running("v2")[0]
    os.kill(killed.pid, signal.SIGKILL)
    await instances_when(world, lambda all_of: any("no disk left" in each.note for each in all_of), 2)
    await world.promote()
    paused = await world.when(lambda status: status.rollout.state == "paused")
    assert paused.rollout.percent == 50
    assert "1 of 2 instances" in paused.rollout.reason
    broken.unlink()
    await instances_when(world, up(2), 2)
    await world.admin.Resume(pb.CommandRequest(origin=pb.Origin(actor="test"), service="shop"))
    await world.until(2, "active")
