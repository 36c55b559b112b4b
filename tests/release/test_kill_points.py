"""SIGKILL at every turn of a whole release, with real Envoys under load.

It goes on or turns back, never both, never twice, and no request notices.

The operator sends each command under a key, and again after each restart, as who got no answer does.
"""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from dataclasses import dataclass

import grpc

from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.app.demo.processes import ChildProcess
from tests.release.world import SHOP, World
from tests.support.fixtures import StartApplication, StartLoad

OFFSET = 0.02
"""Seconds after the event within which every second kill falls; the others come at once."""


@dataclass(frozen=True, slots=True)
class Act:
    """A command, the events at which the control plane is killed, and the event that ends it. `deaf`: one
    proxy hears nothing before the first restart, so that what it is told is not acknowledged by then."""

    command: str
    kills: tuple[str, ...]
    end: str
    deaf: bool = False


PLAY = (
    Act("deploy v2", ("deployed", "clusters-proven"), "prepared"),
    Act("promote", ("shift-started",), "weight-acknowledged"),
    Act("promote", ("weight-set",), "weight-acknowledged", deaf=True),
    Act("promote", ("weight-acknowledged", "drained"), "drained"),
    Act("rollback", ("weight-set", "reactivated"), "drained", deaf=True),
    Act("deploy v3", ("retired", "withdrawn", "released"), "prepared"),
    Act("promote", ("weight-acknowledged",), "weight-acknowledged"),
    Act("abort", ("turned-back",), "rollout-finished", deaf=True),
    Act("promote --full", ("weight-set", "activated"), "drained"),
)
OF_A_LIFE = {
    *(
        "deployed",
        "clusters-proven",
        "prepared",
        "shift-started",
        "shift-aborted",
        "activated",
        "reactivated",
    ),
    *("drain-started", "drained", "superseded", "failed", "retired", "withdrawn", "released"),
}
BEGINNING = ["deployed", "clusters-proven", "prepared", "shift-started"]
DRAINED = ["activated", "drain-started", "drained"]
LIVES = {
    1: [*BEGINNING, *DRAINED, "reactivated", "drain-started", "drained"],
    2: [*BEGINNING, *DRAINED, "retired", "withdrawn", "released"],
    3: [*BEGINNING, "shift-aborted", "shift-started", "activated"],
}
WEIGHTS = [(2, "10"), (2, "50"), (2, "100"), (3, "100"), (4, "10"), (4, "0"), (5, "100")]
OUTCOMES = [(1, "completed"), (2, "completed"), (3, "completed"), (4, "aborted"), (5, "completed")]


class Theatre:
    """Plays the acts. `killed` says where, for when it goes wrong."""

    def __init__(self, world: World, control_plane: ChildProcess, places: dict[str, str]) -> None:
        self.killed: list[str] = []
        self._world, self._control_plane, self._places = world, control_plane, places

    async def play(self, act: Act) -> None:
        began = seen = (await self._world.events())[-1].id
        if act.deaf:
            self._world.cables["sidecar"].deafen()
        asked = asyncio.ensure_future(self._ask(act.command, key=f"after {began}"))
        for what in act.kills:
            seen = (await self._world.happens(what, after=seen)).id
            await self._kill(f"{act.command}: {what}")
            await asyncio.wait((asked,))
            if isinstance(error := asked.exception(), grpc.aio.AioRpcError):
                assert error.code() is grpc.StatusCode.UNAVAILABLE, error
            self._world.cables["sidecar"].hear()
            # Whether the answer came or not: the same key again is the same command.
            asked = asyncio.ensure_future(self._ask(act.command, key=f"after {began}"))
        await asked
        await self._world.happens(act.end, after=began)

    async def _kill(self, where: str) -> None:
        offset = random.uniform(0.0, OFFSET) if len(self.killed) % 2 else 0.0
        await asyncio.sleep(offset)
        self._control_plane.send(signal.SIGKILL)
        self.killed.append(f"{where} + {offset * 1000:.1f} ms")
        await self._control_plane.exited()
        self._control_plane = await self._world.start_control_plane()

    async def _ask(self, command: str, key: str) -> None:
        origin = pb.Origin(actor="test", idempotency_key=key)
        admin, asked = self._world.admin, pb.CommandRequest(origin=origin, service=SHOP)
        match command.split():
            case ["deploy", version]:
                await admin.Deploy(
                    pb.DeployRequest(
                        origin=origin,
                        service=SHOP,
                        version=version,
                        endpoints=[self._places[version]],
                        replace_standby=True,
                    )
                )
            case ["promote", *full]:
                await admin.Promote(pb.PromoteRequest(origin=origin, service=SHOP, full=bool(full)))
            case ["rollback"]:
                await admin.Rollback(asked)
            case ["abort"]:
                await admin.Abort(asked)


async def test_killed_at_every_turn_of_a_release_nothing_is_lost_and_nothing_done_twice(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    await world.lay_cable("sidecar")
    control_plane = await world.start(strategy={"steps": [10, 50, 100], "pause": "manual"})
    places = {version: (await application(version)).address for version in ("v1", "v2", "v3")}
    await world.release("v1", [places["v1"]])
    running = await load(*world.entries(), rate=150.0)
    theatre = Theatre(world, control_plane, places)
    for act in PLAY:
        await theatre.play(act)
    report = await running.stop()

    killed = "\n".join(theatre.killed)
    assert len(theatre.killed) >= 12
    assert report.failed == 0, (killed, report.examples)
    assert report.connections.lost == 0, killed
    assert set(report.versions) == {"v1", "v2", "v3"}
    await check_history(world, killed)


async def check_history(world: World, killed: str) -> None:
    """Each decision was taken once, in its order."""
    events = [event for event in await world.events() if event.deployment_revision]
    weights = [(e.rollout_id, e.to) for e in events if e.what == "weight-set" and e.rollout_id > 1]
    assert weights == WEIGHTS, killed
    acknowledged = Counter((e.rollout_id, e.to) for e in events if e.what == "weight-acknowledged")
    assert set(acknowledged.values()) == {1}, killed
    for revision, life in LIVES.items():
        lived = [e.what for e in events if e.deployment_revision == revision and e.what in OF_A_LIFE]
        assert lived == life, (revision, killed)
    history = await world.admin.GetHistory(pb.GetHistoryRequest(service=SHOP))
    outcomes = [(each.id, each.state) for each in history.rollouts]
    assert sorted(outcomes) == OUTCOMES, killed
    status = await world.status()
    assert {d.version: (d.status, d.set_percent) for d in status.deployments} == {
        "v1": ("standby", 0),
        "v3": ("active", 100),
    }, killed
    assert all(proxy.acknowledged for proxy in status.proxies), killed
