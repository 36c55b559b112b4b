"""The control plane killed in the middle of things: it goes on with what it had promised."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable

import grpc
import pytest

from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.app.demo.processes import ChildProcess
from tests.release.world import ORIGIN, SHOP, World
from tests.support.fixtures import StartApplication, StartLoad


async def kill(control_plane: ChildProcess) -> None:
    control_plane.send(signal.SIGKILL)
    await control_plane.exited()


async def test_after_a_restart_the_barrier_waits_for_the_known_fleet(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    control_plane = await world.start(strategy={"steps": [10, 100], "pause": "manual"})
    await world.release("v1", [(await application("v1")).address])
    await world.deploy("v2", [(await application("v2")).address])
    running = await load(world.entry("edge"), rate=200.0)
    rollout = await world.promote()
    await world.when(lambda s: s.rollout.state == "holding")

    await kill(control_plane)
    await world.proxies["sidecar"].stop()
    control_plane = await world.start_control_plane()
    status = await world.when(lambda s: any(p.connected for p in s.proxies))
    assert {p.proxy: p.connected for p in status.proxies} == {"edge-1": True, "sidecar-1": False}
    assert (status.rollout.id, status.rollout.percent) == (rollout, 10), "it goes on where it was"

    await world.promote()
    await world.when(lambda s: "sidecar-1 is not connected" in s.activity)
    await asyncio.sleep(1.0)  # time enough for a barrier over the connected alone to pass
    waiting = await world.status()
    assert waiting.rollout.percent == 10, "no weight moves that the known fleet could not take"
    assert "sidecar-1 is not connected" in waiting.activity

    await world.start_proxy("sidecar")
    status = await world.finished(rollout)
    assert status.rollout.state == "completed"
    report = await running.stop()
    assert report.failed == 0, report.examples
    assert set(report.versions) == {"v1", "v2"}


async def test_killed_at_any_moment_of_a_rollout_it_ends_what_it_began(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    control_plane = await world.start()
    await world.release("v1", [(await application("v1")).address])
    await world.release("v2", [(await application("v2")).address])
    running = await load(*world.entries(), rate=200.0)
    active = 2
    for moment in (0.0, 0.002, 0.004, 0.006, 0.01, 0.02, 0.05, 0.2):
        asked = world.admin.Rollback(pb.CommandRequest(service="shop", force=True))
        await asyncio.sleep(moment)
        await kill(control_plane)
        promised = await _answer(asked)
        control_plane = await world.start_control_plane()
        status = await world.when(
            lambda s: (
                s.rollout.finished_at > 0 and all(p.acknowledged for p in s.proxies) and len(s.proxies) == 2
            )
        )
        now_active = next(d.revision for d in status.deployments if d.status == "active")
        if promised:
            assert now_active != active, f"killed after {moment} s: what was promised was not kept"
        active = now_active
        assert sorted(d.set_percent for d in status.deployments) == [0, 100]
    report = await running.stop()
    assert report.failed == 0, report.examples
    assert report.connections.lost == 0


@pytest.mark.slow
async def test_time_in_which_nobody_listened_costs_no_deadline(
    world: World, application: StartApplication
) -> None:
    cable = await world.lay_cable("sidecar")
    strategy = {
        "steps": [50, 100],
        "pause": "manual",
        "step_deadline": "1s",
        "ready_deadline": "1s",
        "on_silent": "turn-back",
    }
    control_plane = await world.start(strategy=strategy)
    await world.release("v1", [(await application("v1")).address])

    cable.deafen()
    await world.admin.Deploy(
        pb.DeployRequest(
            origin=ORIGIN, service=SHOP, version="v2", endpoints=[(await application("v2")).address]
        )
    )
    control_plane = await _killed_for(2.0, world, control_plane)
    await world.until(2, "ready", timeout=10)

    cable.deafen()
    await world.promote()
    await world.when(lambda s: s.rollout.percent == 50)
    await _killed_for(2.0, world, control_plane)
    status = await world.when(lambda s: s.rollout.state in ("holding", "turning back"))
    assert (status.rollout.state, status.rollout.percent) == ("holding", 50), status.rollout.reason


async def _killed_for(seconds: float, world: World, control_plane: ChildProcess) -> ChildProcess:
    await kill(control_plane)
    for cable in world.cables.values():
        cable.hear()
    await asyncio.sleep(seconds)
    return await world.start_control_plane()


async def _answer(asked: Awaitable[pb.CommandResponse]) -> bool:
    """Whether the command was answered with a promise before the kill."""
    try:
        await asked
    except grpc.aio.AioRpcError:
        return False
    return True
