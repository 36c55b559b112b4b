"""What a fleet that reports its statistics costs the control plane."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from bench.control_plane import ControlPlane
from bench.flushes import GATEWAY
from bench.processes import Process, process
from bench.pulse import pulse
from bench.world import (
    LARGE_INTERVAL,
    SHOP,
    V1,
    V2,
    V3,
    connect,
    cpu_over,
    gateway_entry,
    service_entry,
    world,
)


@dataclass(frozen=True, slots=True)
class Listening:
    """The control plane under its fleet's statistics. `share` of one core; `flush` in bytes."""

    proxies: int
    waiting: bool
    flushes: float  # a second
    flush: int
    share: float
    longest_answer: float


async def listening(proxies: int, seconds: float) -> list[Listening]:
    """First when nothing is under way, then with a service that waits for what no proxy will report."""
    async with world() as (_, control_plane), process("bench.simulated_fleet") as fleet:
        await control_plane.apply({SHOP: service_entry(SHOP)}, {GATEWAY: gateway_entry()})
        await connect(fleet, control_plane, proxies, LARGE_INTERVAL)
        await control_plane.release(SHOP, "v1", V1)
        await control_plane.deploy(SHOP, "v2", V2)
        figures = [await _listen(control_plane, fleet, proxies, seconds, waiting=False)]
        await connect(fleet, control_plane, 1, LARGE_INTERVAL, reported=[])
        waiting = asyncio.create_task(control_plane.deploy(SHOP, "v3", V3))
        await asyncio.sleep(1.0)
        figures.append(await _listen(control_plane, fleet, proxies, seconds, waiting=True))
        waiting.cancel()
        return figures


async def _listen(
    control_plane: ControlPlane, fleet: Process, proxies: int, seconds: float, *, waiting: bool
) -> Listening:
    before, begun = await fleet.ask(flushes=True), time.monotonic()
    async with pulse(control_plane.http) as answers:
        cpu = await cpu_over(control_plane, asyncio.sleep(seconds))
    after, took = await fleet.ask(flushes=True), time.monotonic() - begun
    flushes = after["flushes"] - before["flushes"]
    size = round((after["bytes"] - before["bytes"]) / max(1, flushes))
    return Listening(proxies, waiting, flushes / took, size, cpu / seconds, answers.longest)
