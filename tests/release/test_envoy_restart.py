"""An operator restarts one Envoy after the other, as docs/envoy.md says: connections go, requests do not."""

from __future__ import annotations

import asyncio

from bluegreen.app.demo.envoy_process import EnvoyProcess
from bluegreen.model.endpoint import Endpoint
from tests.release.world import GATEWAYS, LOOPBACK, World
from tests.support.cable import Cable
from tests.support.fixtures import StartApplication, StartLoad

EMPTY_WITHIN = 20.0
"""Seconds. The load asks for answers that take one."""


async def emptied(proxy: EnvoyProcess, gateway: str) -> None:
    """Wait until no client is connected to the production listener."""
    async with asyncio.timeout(EMPTY_WITHIN):
        while await clients(proxy, gateway):  # noqa: ASYNC110 - Envoy tells only when asked
            await asyncio.sleep(0.05)


async def clients(proxy: EnvoyProcess, gateway: str) -> int:
    (connections,) = (await proxy.admin.stats(f"^http.bluegreen/{gateway}.downstream_cx_active$")).values()
    return connections


async def test_envoys_that_are_restarted_one_after_the_other_lose_no_request(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    await world.start()
    await world.release("v1", [(await application("v1")).address])
    entries = {gateway: Endpoint(LOOPBACK, world.ports.production[gateway]) for gateway in GATEWAYS}
    balancer = Cable(*entries.values())
    await balancer.mend()
    running = await load(f"http://{balancer.address}", rate=150.0)
    for gateway in GATEWAYS:
        proxy = world.proxies[gateway]
        await proxy.admin.post("/healthcheck/fail")
        assert not await proxy.admin.is_ready(), "by which a balancer knows"
        balancer.targets.remove(entries[gateway])
        await proxy.admin.post("/drain_listeners?graceful")
        await emptied(proxy, gateway)
        await proxy.stop()
        await (await world.start_proxy(gateway)).ready()
        balancer.targets.append(entries[gateway])
    await running.until(lambda report: report.requests > 0)
    whole = await running.stop()
    await balancer.cut()
    assert whole.failed == 0, whole.examples
    assert whole.connections.lost >= len(GATEWAYS), "each Envoy sent its clients away"
    status = await world.when(lambda s: [p.connected and p.acknowledged for p in s.proxies] == [True, True])
    assert [p.proxy for p in status.proxies] == ["edge-1", "sidecar-1"], "the same proxies as before"
