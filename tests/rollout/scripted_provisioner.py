"""Instances as a script: they are up as soon as they are wanted, unless the script holds them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from bluegreen.model.endpoint import Endpoint
from bluegreen.model.errors import ProvisioningFailed
from bluegreen.model.pool import Instance, InstanceState, Pool


class ScriptedProvisioner:
    """`state` is what new instances are in; `broken` is what `up` fails with, `stuck` what `stop`
    does."""

    def __init__(self) -> None:
        self.pools: dict[tuple[str, int], list[Instance]] = {}
        self.stopped: list[str] = []
        self.left_alone: list[tuple[str, int]] = []
        self.state = InstanceState.UP
        self.broken: str | None = None
        self.stuck: str | None = None
        self._notify: list[Callable[[tuple[str, int]], None]] = []
        self._made = 0
        self._written: set[tuple[str, int, str]] = set()
        self.asked = asyncio.Event()
        self.forgotten: set[tuple[str, int]] = set()

    async def up(self, pool: Pool) -> None:
        if self.broken is not None:
            raise ProvisioningFailed(self.broken)
        there = self.pools.setdefault(pool.key, [])
        if pool.key in self.forgotten:
            return
        while len([each for each in there if each.id not in pool.leaving]) < pool.capacity:
            self._made += 1
            self._written.add((*pool.key, f"i{self._made}"))
            there.append(Instance(f"i{self._made}", Endpoint("127.0.0.1", 20_000 + self._made), self.state))

    async def stop(self, pool: Pool) -> None:
        if self.stuck is not None:
            raise ProvisioningFailed(self.stuck)
        going = [
            each for each in self.pools.get(pool.key, []) if pool.capacity == 0 or each.id in pool.leaving
        ]
        self.stopped += [each.id for each in going]
        self.pools[pool.key] = [each for each in self.pools.get(pool.key, []) if each not in going]

    def leave_alone(self, pool: Pool) -> None:
        self.left_alone.append(pool.key)

    async def instances(self, pool: Pool) -> Sequence[Instance]:
        self.asked.set()
        return tuple(self.pools.get(pool.key, ()))

    def on_change(self, notify: Callable[[tuple[str, int]], None]) -> None:
        self._notify.append(notify)

    async def log(self, pool: Pool, instance: str, lines: int) -> str:
        return f"log of {instance}\n" if (*pool.key, instance) in self._written else ""

    def forget(self, key: tuple[str, int]) -> None:
        """Have no instance of a pool, and get none."""
        self.forgotten.add(key)
        for notify in self._notify:
            notify(key)

    def become(self, key: tuple[str, int], state: InstanceState, note: str = "", first: int = 0) -> None:
        """Have the instances of a pool, from the `first` on, in this state."""
        there = self.pools[key]
        there[first:] = [replace(each, state=state, note=note) for each in there[first:]]
        for notify in self._notify:
            notify(key)
