"""Two operators at once through the real API: one wins, the other is told what is going on; a command that is
sent twice acts once, also across a crash."""

from __future__ import annotations

import asyncio
import signal
import sys

import grpc
import pytest

from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.admin.v1.admin_pb2_grpc import AdminStub
from bluegreen.app.demo.processes import ChildProcesses, Command
from tests.release.world import LOOPBACK, SHOP, World
from tests.support.fixtures import StartApplication

REFUSED = 5


async def outcomes(*calls: asyncio.Future[pb.CommandResponse]) -> tuple[pb.CommandResponse, str]:
    """The one answer, and what the one who lost was told."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    answers = [each for each in results if isinstance(each, pb.CommandResponse)]
    refusals = [each for each in results if isinstance(each, grpc.aio.AioRpcError)]
    assert (len(answers), len(refusals)) == (1, 1), results
    assert refusals[0].code() is grpc.StatusCode.FAILED_PRECONDITION
    return answers[0], refusals[0].details() or ""


async def test_of_two_operators_at_once_one_wins_and_the_other_is_told(
    world: World, application: StartApplication
) -> None:
    cable = await world.lay_cable("sidecar")
    await world.start(strategy={"steps": [10, 100], "pause": "manual"})
    await world.release("v1", [(await application("v1")).address])
    places = {version: (await application(version)).address for version in ("v2", "v3")}
    address = f"{LOOPBACK}:{world.ports.admin}"
    async with grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) as other:
        admins = {"anna": world.admin, "ben": AdminStub(other)}
        deploys = [
            pb.DeployRequest(
                origin=pb.Origin(actor=actor), service=SHOP, version=version, endpoints=[places[version]]
            )
            for actor, version in zip(admins, places, strict=True)
        ]
        won, told = await outcomes(
            *(admin.Deploy(each) for admin, each in zip(admins.values(), deploys, strict=True))
        )
        assert "is still deploying. Possible: status, abort" in told
        await world.until(won.deployment_revision, "ready")

        # While one proxy is silent, the first step cannot be over by the time that the other one asks.
        cable.deafen()
        promotes = [pb.PromoteRequest(origin=pb.Origin(actor=actor), service=SHOP) for actor in admins]
        won, told = await outcomes(
            *(admin.Promote(each) for admin, each in zip(admins.values(), promotes, strict=True))
        )
        assert f"Rollout {won.rollout_id} waits until every proxy has acknowledged" in told
        assert "Possible: promote --full, abort, rollback" in told
        cable.hear()
        await world.when(lambda s: s.rollout.percent == 10 and s.rollout.state == "holding")
    opened = [each.actor for each in await world.events() if each.what == "shift-started"]
    assert len(opened) == 2, "one for each version"
    assert opened[1] in admins


async def test_on_the_command_line_the_loser_ends_with_the_code_of_a_refusal(
    world: World, application: StartApplication, children: ChildProcesses
) -> None:
    cable = await world.lay_cable("sidecar")
    await world.start()
    await world.release("v1", [(await application("v1")).address])
    cable.deafen()  # one proxy is silent: the first deploy cannot be over by the time that the other one asks
    started = [
        await children.start(Command(f"deploy-{version}", _deploy(world, version, place)))
        for version, place in [(each, (await application(each)).address) for each in ("v2", "v3")]
    ]
    statuses = [await child.exited() for child in started]
    assert sorted(statuses) == [0, REFUSED], [child.last_lines() for child in started]
    loser = started[statuses.index(REFUSED)]
    assert "is still deploying" in loser.last_lines()
    assert "Possible: status, abort" in loser.last_lines()


def _deploy(world: World, version: str, place: str) -> tuple[str, ...]:
    return (
        *(sys.executable, "-m", "bluegreen", "deploy", SHOP, version, f"--endpoint={place}"),
        *(f"--admin={LOOPBACK}:{world.ports.admin}", "--no-wait"),
    )


async def test_of_two_who_promote_the_same_step_at_once_one_takes_it(
    world: World, application: StartApplication
) -> None:
    """Also where the other one comes when the step is over: both have seen 10 %."""
    await world.start(strategy={"steps": [10, 50, 100], "pause": "manual"})
    await world.release("v1", [(await application("v1")).address])
    await world.deploy("v2", [(await application("v2")).address])
    await world.promote()
    seen = (await world.when(lambda s: s.rollout.state == "holding")).standing
    promotes = [
        pb.PromoteRequest(
            origin=pb.Origin(actor=actor, idempotency_key=f"{actor}-1"), service=SHOP, expected=seen
        )
        for actor in ("anna", "ben")
    ]
    results = await asyncio.gather(*map(world.admin.Promote, promotes), return_exceptions=True)
    (lost,) = (each for each in results if isinstance(each, grpc.aio.AioRpcError))
    winner = results.index(next(each for each in results if isinstance(each, pb.CommandResponse)))
    assert lost.code() is grpc.StatusCode.ABORTED
    who = promotes[winner].origin.actor
    assert f"Not as you saw it. {who}, 0s ago: Rollout 2 goes on from 10 % to 50 %." in (lost.details() or "")
    await world.when(lambda s: s.rollout.percent == 50 and s.rollout.state == "holding")

    with pytest.raises(grpc.aio.AioRpcError) as late:
        await world.admin.Promote(promotes[1 - winner])
    assert "Now rollout 2 of v2 is at 50 %. Possible: promote" in (late.value.details() or "")
    again = await world.admin.Promote(promotes[winner])
    assert again.message == "Rollout 2 goes on from 10 % to 50 %.", "its key was taken up"


async def test_a_command_that_is_sent_again_after_a_crash_acts_once(
    world: World, application: StartApplication
) -> None:
    control_plane = await world.start(strategy={"steps": [10, 50, 100], "pause": "manual"})
    await world.release("v1", [(await application("v1")).address])
    await world.deploy("v2", [(await application("v2")).address])
    promote = pb.PromoteRequest(origin=pb.Origin(actor="ci", idempotency_key="job-17"), service=SHOP)
    answers = [await world.admin.Promote(promote), await world.admin.Promote(promote)]
    await world.when(lambda s: s.rollout.percent == 10 and s.rollout.state == "holding")

    control_plane.send(signal.SIGKILL)
    await control_plane.exited()
    await world.start_control_plane()
    answers.append(await world.admin.Promote(promote))
    assert len({(each.message, each.rollout_id, each.deployment_revision) for each in answers}) == 1
    await world.when(lambda s: all(proxy.acknowledged for proxy in s.proxies) and len(s.proxies) == 2)
    status = await world.status()
    assert (status.rollout.percent, status.rollout.state) == (10, "holding"), "a new promote would go to 50"

    again = pb.PromoteRequest(origin=pb.Origin(actor="ci", idempotency_key="job-18"), service=SHOP)
    await world.admin.Promote(again)
    await world.when(lambda s: s.rollout.percent == 50)
