"""A process with many simulated Envoys: `python -m bench.simulated_fleet`.

Reads one JSON object a line, answers with one:
{"connect": N, "address": HOST:PORT, "interval": S, "reported": [SERVICE ...] or null}
{"mark": true}: forget what was acknowledged until now; {"moved": N}: wait until one state of the routes is
acknowledged by N proxies since the mark; {"flushes": true}: how many there were, and their bytes.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from dataclasses import dataclass
from typing import Any

import grpc

from bench.limits import allow_many_files
from bench.simulated_envoy import Plan, SimulatedEnvoy


@dataclass(slots=True)
class Move:
    """One state of the routes: how many proxies have acknowledged it, and when (monotonic seconds)."""

    first: float
    last: float
    count: int = 1


class SimulatedFleet:
    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._total = self._refused = self._flushes = self._bytes = 0
        self._moves: dict[str, Move] = {}
        self._changed = asyncio.Event()

    async def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        match command:
            case {"connect": count, "address": address, "interval": interval, "reported": reported}:
                plan = Plan(address, interval, None if reported is None else frozenset(reported))
                begun = time.monotonic()
                await self._connect(plan, count)
                return {"seconds": time.monotonic() - begun, "refused": self._refused}
            case {"mark": True}:
                self._moves.clear()
                return {}
            case {"moved": count}:
                move = await self._moved(count)
                return {"first": move.first, "last": move.last}
            case _:
                return {"flushes": self._flushes, "bytes": self._bytes, "cpu": time.process_time()}

    async def _connect(self, plan: Plan, count: int) -> None:
        self._moves.clear()
        for number in range(count):
            envoy = SimulatedEnvoy(plan, self._total + number, self._note, self._flushed)
            # Staggered, as those of a fleet are that was not started at once.
            self._group.create_task(self._run(envoy, 1.0 + plan.interval * number / count))
        self._total += count
        await self._moved(count)
        gc.collect()
        gc.freeze()

    async def _run(self, envoy: SimulatedEnvoy, first_flush_after: float) -> None:
        try:
            await envoy.run(first_flush_after)
        except* grpc.aio.AioRpcError as errors:
            self._refused += 1
            print(errors.exceptions[0], file=sys.stderr)

    def _note(self, version: str, at: float) -> None:
        move = self._moves.get(version)
        if move is None:
            self._moves[version] = Move(at, at)
        else:
            move.last, move.count = at, move.count + 1
        self._changed.set()

    def _flushed(self, size: int) -> None:
        self._flushes += 1
        self._bytes += size

    async def _moved(self, count: int) -> Move:
        """The first state of the routes since the mark that so many have acknowledged."""
        while True:
            for move in self._moves.values():
                if move.count >= count:
                    return move
            self._changed.clear()
            await self._changed.wait()


async def main() -> None:
    allow_many_files()
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with asyncio.TaskGroup() as group:
        fleet = SimulatedFleet(group)
        while line := await reader.readline():
            print(json.dumps(await fleet.answer(json.loads(line))), flush=True)
        sys.stderr.close()  # gRPC tells of each connection that ends with the process
        raise SystemExit(0)


if __name__ == "__main__":
    gc.set_threshold(50_000, 20, 100)
    asyncio.run(main())
