"""Thousands of proxies on one server: connecting at once, and following a push."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

from bench.processes import Process, process

PUSHES = 7
CHURNS = 5
CHURNED = 5
"""One proxy of so many goes and comes back in each round of churn."""
FLOOR = "sockets"
OURS = "ours"


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one server with so many streams. Times in seconds for all, CPU in microseconds for each proxy.

    `pause` is the longest collection of garbage by the clock, from the first connection to the end (ours: of
    the churn), `pause_cpu` by the CPU time of its thread. `resident` is in bytes, after the pushes."""

    server: str
    streams: int
    connect_wall: float
    connect_cpu: float
    connect_client_cpu: float
    refused: int
    push_wall: float
    push_cpu: float
    push_client_cpu: float
    resident: int
    pause: float
    pause_cpu: float
    churned: int  # resident after the last round of churn


async def measure(server: str, streams: int) -> Figures:
    under_test = ("bench.floor",) if server == FLOOR else ("bench.serving", server)
    clients = ("bench.floor", "client") if server == FLOOR else ("bench.fleet",)
    async with process(*under_test) as serving, process(*clients) as fleet:
        address = (await serving.read())["address"]
        idle = await serving.ask(usage=False)
        connected = await fleet.ask(connect=streams, address=address)
        after = await serving.ask(usage=True)
        walls, cpus, client_cpus = [], [], []
        for number in range(1, PUSHES + 1):
            before = await serving.ask(usage=False)
            pushed = await serving.ask(push=number)
            received = await fleet.ask(expect=number)
            done = await settled(serving)
            walls.append(max(done["last_ack"], received["last"]) - pushed["begun"])
            cpus.append(done["cpu"] - before["cpu"])
            client_cpus.append(received["cpu"])
        resident = done["resident"]
        for _ in range(CHURNS if server == OURS else 0):
            await fleet.ask(churn=streams // CHURNED, address=address)
            done = await serving.ask(usage=False)
        return Figures(
            server,
            streams,
            max(connected["last"], after["last_ack"]) - connected["begun"],
            (after["cpu"] - idle["cpu"]) / streams * 1e6,
            connected["cpu"] / streams * 1e6,
            connected["refused"],
            statistics.median(walls),
            statistics.median(cpus) / streams * 1e6,
            statistics.median(client_cpus) / streams * 1e6,
            resident,
            done["pause"],
            done["pause_cpu"],
            done["resident"],
        )


async def settled(serving: Process) -> dict[str, Any]:
    """Its usage once the last acknowledgement is in."""
    last = await serving.ask(usage=True)
    while True:
        again = await serving.ask(usage=True)
        if again["last_ack"] == last["last_ack"]:
            return again
        last = again
