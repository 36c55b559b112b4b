"""Many services on one gateway: what the work for one of them costs, and all of them moving at once."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from bench.flushes import GATEWAY
from bench.processes import process
from bench.pulse import Pulse, pulse
from bench.world import (
    SHOP,
    SMALL_INTERVAL,
    V1,
    V2,
    all_at_once,
    connect,
    cpu_over,
    gateway_entry,
    service_entry,
    world,
)


@dataclass(frozen=True, slots=True)
class WeightChange:
    """CPU of the control plane for one change of one service's weights, over all proxies; seconds."""

    services: int
    proxies: int
    cpu: float
    acknowledged: float


@dataclass(frozen=True, slots=True)
class AtOnce:
    """Many services that move at the same time. Seconds; answers are those of the control plane's probe."""

    services: int
    proxies: int
    ready: float
    moved: float
    cpu: float
    answers: Pulse


async def weight_change(services: int, proxies: int, changes: int = 50) -> WeightChange:
    """One service among many on one gateway moves by one percent at a time. Only its own statistics are
    reported, so that the change is measured and not the reports about all the others."""
    steps = {"strategy": {"steps": [*range(1, changes + 1), 100]}}
    names = [SHOP, *(f"service-{number:04}" for number in range(1, services))]
    async with world() as (_, control_plane), process("bench.simulated_fleet") as fleet:
        await control_plane.apply(
            {name: service_entry(name, **steps) for name in names}, {GATEWAY: gateway_entry()}
        )
        await connect(fleet, control_plane, 1, SMALL_INTERVAL)
        await all_at_once(names, lambda name: control_plane.release(name, "v1", V1))
        await connect(fleet, control_plane, proxies - 1, SMALL_INTERVAL, [SHOP])
        await control_plane.deploy(SHOP, "v2", V2)
        rollout = await control_plane.promote(SHOP, full=False)
        await control_plane.until(SHOP, rollout, "1")
        idle = await cpu_over(control_plane, asyncio.sleep(5.0))
        begun, cpu = time.monotonic(), control_plane.cpu()
        for percent in range(2, changes + 1):
            await control_plane.promote(SHOP, full=False)
            await control_plane.until(SHOP, rollout, str(percent))
        seconds = time.monotonic() - begun
        spent = control_plane.cpu() - cpu - idle / 5.0 * seconds
        return WeightChange(services, proxies, spent / (changes - 1), seconds / (changes - 1))


async def at_once(services: int, proxies: int) -> AtOnce:
    names = [f"service-{number:04}" for number in range(services)]
    async with world() as (_, control_plane), process("bench.simulated_fleet") as fleet:
        await control_plane.apply({name: service_entry(name) for name in names}, {GATEWAY: gateway_entry()})
        await connect(fleet, control_plane, proxies, SMALL_INTERVAL)
        await all_at_once(names, lambda name: control_plane.release(name, "v1", V1))
        cpu = control_plane.cpu()
        async with pulse(control_plane.http) as answers:
            begun = time.monotonic()
            await all_at_once(names, lambda name: control_plane.deploy(name, "v2", V2))
            ready = time.monotonic() - begun

            async def move(name: str) -> None:
                await control_plane.until(name, await control_plane.promote(name), "completed")

            begun = time.monotonic()
            await all_at_once(names, move)
            moved = time.monotonic() - begun
        return AtOnce(services, proxies, ready, moved, control_plane.cpu() - cpu, answers)
