"""A proxy that acknowledges nothing, and one that is gone for good: as the service file says."""

from __future__ import annotations

from bluegreen.admin.v1 import admin_pb2 as pb
from tests.release.world import World
from tests.support.fixtures import StartApplication, StartLoad


async def test_a_silent_proxy_turns_the_rollout_back_where_that_is_wanted(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    cable = await world.lay_cable("sidecar")
    await world.start(strategy={"steps": [50, 100], "step_deadline": "2s", "on_silent": "turn-back"})
    await world.release("v1", [(await application("v1")).address])
    await world.deploy("v2", [(await application("v2")).address])
    running = await load(*world.entries(), rate=100.0, slow_share=0.0)

    cable.deafen()  # it still reports, so the candidate is proved by it, and the weights go out
    rollout = await world.promote()
    await world.when(
        lambda s: s.rollout.percent == 50 and [p.acknowledged for p in s.proxies] == [True, False]
    )
    back = await world.when(lambda s: s.rollout.state == "turning back")
    assert "sidecar-1 has not acknowledged the routes" in back.rollout.reason
    assert back.rollout.percent == 0
    assert back.rollout.finished_at == 0, "the silent one may have had the weights, for all that is known"

    cable.hear()
    ended = await world.finished(rollout)
    assert ended.rollout.state == "aborted"
    assert {d.version: d.status for d in ended.deployments} == {"v1": "active", "v2": "ready"}
    whole = await running.stop()
    assert whole.failed == 0, whole.examples
    assert whole.connections.lost == 0


async def test_a_proxy_that_is_gone_for_good_is_forgotten_where_that_is_wanted(
    world: World, application: StartApplication
) -> None:
    await world.start(gateway={"forget_after": "2s"})
    await world.release("v1", [(await application("v1")).address])
    await world.deploy("v2", [(await application("v2")).address])
    await world.proxies["sidecar"].stop()
    await world.when(lambda s: any(not p.connected for p in s.proxies))
    rollout = await world.promote()
    waiting = await world.when(lambda s: "sidecar-1 is not connected" in s.activity)
    assert waiting.rollout.percent == 0

    ended = await world.finished(rollout)
    assert ended.rollout.state == "completed"
    assert [p.proxy for p in ended.proxies] == ["edge-1"]
    async for event in world.admin.ListEvents(pb.ListEventsRequest()):
        if event.what == "proxy-forgotten":
            assert (event.actor, event.reason) == ("controller", "not connected for more than 2s")
            break
    else:
        raise AssertionError("no event tells of it")
