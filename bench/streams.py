"""Thousands of proxies on one server: connecting at once, and following a push."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from bench.processes import process

PUSHES = 7


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one server with so many streams. Times in seconds for all, CPU in microseconds for each proxy."""

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


async def measure(server: str, streams: int) -> Figures:
    async with process("bench.serving", server) as serving, process("bench.fleet") as fleet:
        address = (await serving.read())["address"]
        idle = await serving.ask(usage=False)
        connected = await fleet.ask(connect=streams, address=address)
        after = await serving.ask(usage=True)
        walls, cpus, clients = [], [], []
        for number in range(1, PUSHES + 1):
            before = await serving.ask(usage=False)
            pushed = await serving.ask(push=number)
            received = await fleet.ask(expect=number)
            done = await settled(serving)
            walls.append(max(done["last_ack"], received["last"]) - pushed["begun"])
            cpus.append(done["cpu"] - before["cpu"])
            clients.append(received["cpu"])
        return Figures(
            server,
            streams,
            max(connected["last"], after["last_ack"]) - connected["begun"],
            (after["cpu"] - idle["cpu"]) / streams * 1e6,
            connected["cpu"] / streams * 1e6,
            connected["refused"],
            statistics.median(walls),
            statistics.median(cpus) / streams * 1e6,
            statistics.median(clients) / streams * 1e6,
            done["resident"],
            done["pause"],
        )


async def settled(serving) -> dict:
    """Its usage once the last acknowledgement is in."""
    last = await serving.ask(usage=True)
    while True:
        again = await serving.ask(usage=True)
        if again["last_ack"] == last["last_ack"]:
            return again
        last = again
