"""An Envoy that is cut off from the control plane goes on by its old state, and everything waits for it or
names it: nothing that it may still use is taken away."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.app.demo.load_process import LoadProcess
from bluegreen.rollout.reconnect_grace import RECONNECT_GRACE
from tests.release.world import GATEWAYS, ORIGIN, SHOP, World
from tests.support.fixtures import StartApplication, StartLoad

AWAY = "sidecar-1 is not connected"


async def served(world: World, running: LoadProcess, gateway: str) -> set[str]:
    """The versions that answer behind a gateway, by an interval that began after this was asked."""
    target = world.entry(gateway).removeprefix("http://")
    await running.until(lambda report: True)
    await running.until(lambda report: True)
    report = await running.until(lambda report: report.targets[target].requests > 5)
    return set(report.targets[target].versions)


async def connected(world: World) -> None:
    await world.when(lambda s: [p.connected and p.acknowledged for p in s.proxies] == [True, True])


async def test_a_cut_off_proxy_holds_a_promotion_up_but_not_the_way_back(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    cable = await world.lay_cable("sidecar")
    await world.start(strategy={"steps": [50, 100], "pause": "manual"})
    await world.release("v1", [(await application("v1")).address])
    await world.deploy("v2", [(await application("v2")).address])
    running = await load(*world.entries(), rate=150.0, slow_share=0.0)

    await cable.cut()
    await world.when(lambda s: any(not p.connected for p in s.proxies))
    rollout = await world.promote()
    waiting = await world.when(lambda s: AWAY in s.activity)
    assert (waiting.rollout.state, waiting.rollout.percent) == ("proving", 0)
    assert await served(world, running, "edge") == {"v1"}, "no weight moves that not every proxy could follow"
    await cable.mend()
    await world.when(lambda s: s.rollout.percent == 50 and s.rollout.state == "holding")

    await cable.cut()
    await world.when(lambda s: any(not p.connected for p in s.proxies))
    await world.rollback()
    back = await world.when(lambda s: any(p.proxy == "edge-1" and p.acknowledged for p in s.proxies))
    assert back.rollout.state == "turning back"
    assert AWAY in back.activity
    assert await served(world, running, "edge") == {"v1"}, "it is back wherever it can be"
    assert await served(world, running, "sidecar") == {"v1", "v2"}, "by what it was told last"

    await cable.mend()
    ended = await world.finished(rollout)
    assert ended.rollout.state == "aborted"
    assert await served(world, running, "sidecar") == {"v1"}
    report = await running.stop()
    assert report.failed == 0, report.examples
    assert report.connections.lost == 0


async def test_nothing_that_a_cut_off_proxy_may_use_is_taken_away(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    cable = await world.lay_cable("sidecar")
    await world.start(drain={"grace": "1s", "deadline": "3s"}, keep_warm="1s")
    v1 = await application("v1")
    await world.release("v1", [v1.address])
    await world.deploy("v2", [(await application("v2")).address])
    running = await load(*world.entries(), rate=150.0, slow_share=0.0)
    await world.promote()
    await world.until(1, "draining")

    await cable.cut()  # within the grace: it has the weights, and has not proved itself idle
    draining = await world.when(lambda s: AWAY in s.activity)
    assert {d.version: d.status for d in draining.deployments}["v1"] == "draining"
    standby = await world.until(1, "standby")
    note = next(d.note for d in standby.deployments if d.revision == 1)
    assert note.startswith("deadline passed with 0 requests still under way, not known of sidecar-1"), note
    kept = await world.when(lambda s: "cannot be retired yet" in s.activity)
    assert AWAY in kept.activity

    rollback = await world.rollback()
    waiting = await world.when(lambda s: any(p.proxy == "edge-1" and p.acknowledged for p in s.proxies))
    assert waiting.rollout.finished_at == 0, "it is not over while a proxy may still send requests to v2"
    assert await served(world, running, "edge") == {"v1"}
    assert await served(world, running, "sidecar") == {"v2"}
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await world.deploy("v3", [v1.address])
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "A rollback to v1 is open" in (refused.value.details() or "")

    await cable.mend()
    await world.finished(rollback)
    assert await served(world, running, "sidecar") == {"v1"}, "when it is back it gets the present state"
    report = await running.stop()
    assert report.failed == 0, report.examples
    assert report.connections.lost == 0


@pytest.mark.slow
async def test_a_new_version_is_neither_ready_nor_promoted_without_it_until_it_is_forgotten(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    cable = await world.lay_cable("sidecar")
    drain = {"grace": "200ms", "deadline": "2s"}
    await world.start(drain=drain, keep_warm="1s", strategy={"steps": [100], "step_deadline": "2s"})
    await world.release("v1", [(await application("v1")).address])
    await world.deploy("v2", [(await application("v2")).address])
    running = await load(*world.entries(), rate=150.0, slow_share=0.0)
    await cable.cut()
    await world.when(lambda s: any(not p.connected for p in s.proxies))
    await world.promote()
    paused = await world.when(lambda s: s.rollout.state == "paused")
    assert AWAY in paused.rollout.reason
    assert paused.rollout.percent == 0
    await cable.mend()
    await connected(world)
    await world.admin.Resume(pb.CommandRequest(origin=ORIGIN, service=SHOP))
    await world.until(2, "active")

    await world.until(1, "standby")
    await cable.cut()
    blocked = await world.when(lambda s: "cannot be retired yet" in s.activity)
    assert AWAY in blocked.activity
    request = pb.DeployRequest(
        origin=ORIGIN,
        service=SHOP,
        version="v3",
        endpoints=[(await application("v3")).address],
        replace_standby=True,
    )
    await world.admin.Deploy(request)
    status = await world.when(lambda s: AWAY in s.activity)
    assert {d.version: d.status for d in status.deployments}["v3"] == "deploying"
    assert not next(d for d in status.deployments if d.version == "v1").released

    await world.admin.ForgetProxy(pb.ForgetProxyRequest(origin=ORIGIN, proxy="sidecar-1"))
    await world.until(3, "ready")
    await world.happens("released")
    await world.promote()
    await world.until(3, "active")
    assert await served(world, running, "sidecar") == {"v2"}, "it is forgotten, but it still runs"

    await cable.mend()
    await connected(world)
    known = {p.id for p in (await world.admin.ListProxies(pb.ListProxiesRequest())).proxies}
    assert known == {"edge-1", "sidecar-1"}
    assert await served(world, running, "sidecar") == {"v3"}
    report = await running.stop()
    assert report.failed == 0, report.examples
    assert report.connections.lost == 0


@pytest.mark.slow
async def test_after_a_long_absence_a_proxy_is_back_within_seconds(
    world: World, application: StartApplication
) -> None:
    """Sooner than any deadline goes on after a restart of the control plane."""
    cables = [await world.lay_cable(gateway) for gateway in GATEWAYS]
    await world.start()
    await world.release("v1", [(await application("v1")).address])
    for cable in cables:
        await cable.cut()
    await asyncio.sleep(40.0)
    for cable in cables:
        await cable.mend()
    began = asyncio.get_running_loop().time()
    await connected(world)
    assert asyncio.get_running_loop().time() - began < RECONNECT_GRACE / 2
