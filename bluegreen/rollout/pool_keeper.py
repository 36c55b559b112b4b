"""Has the instances of one service provided, and gives back what there is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.errors import ProvisioningFailed
from bluegreen.model.pool import Pool, Provisioner
from bluegreen.rollout import pool_commands
from bluegreen.rollout.draft import Decide
from bluegreen.rollout.pools import pools_of

RETRY_AFTER = 5.0
"""Seconds until instances that could not be had are asked for again."""

log = logging.getLogger(__name__)


class PoolKeeper:
    """One task a pool: says what is wanted, each time that changes and after each start; stops what may be
    stopped; reports what there is, each time that changes. `record` gives it to the service's worker."""

    def __init__(self, provisioner: Provisioner, record: Callable[[Decide], Awaitable[object]]) -> None:
        self._provisioner, self._record = provisioner, record
        self._wanted: dict[int, Pool] = {}
        self._news: dict[int, asyncio.Event] = {}
        self._running: dict[int, asyncio.Task[None]] = {}

    def follow(self, aggregate: ServiceAggregate, group: asyncio.TaskGroup) -> None:
        """Have exactly these pools kept."""
        wanted = {pool.revision: pool for pool in pools_of(aggregate)}
        for revision in self._running.keys() - wanted.keys():
            self._running.pop(revision).cancel()
            self._provisioner.leave_alone(self._wanted[revision])
            del self._news[revision]
        before, self._wanted = self._wanted, wanted
        for revision, pool in wanted.items():
            if revision not in self._running:
                self._news[revision] = asyncio.Event()
                self._running[revision] = group.create_task(self._keep(revision, group))
            elif before.get(revision) != pool:
                self._news[revision].set()

    def changed(self, revision: int) -> None:
        """The instances of a pool may have changed."""
        if revision in self._news:
            self._news[revision].set()

    async def _keep(self, revision: int, group: asyncio.TaskGroup) -> None:
        news = self._news[revision]
        stopping: asyncio.Task[None] | None = None
        while True:
            news.clear()
            pool = self._wanted[revision]
            try:
                if pool.capacity == 0:
                    await self._end(pool)
                    return
                if pool.leaving and (stopping is None or stopping.done()):
                    # It takes as long as the instances need to finish; the others are looked after meanwhile.
                    stopping = group.create_task(self._stop(pool, news))
                await self._provisioner.up(pool)
                await self._report(pool)
            except ProvisioningFailed as failed:
                await self._fail(pool, failed)
                await _pause(news, RETRY_AFTER)
            else:
                await news.wait()

    async def _end(self, pool: Pool) -> None:
        await self._provisioner.stop(pool)
        await self._record(partial(pool_commands.stopped, revision=pool.revision))

    async def _stop(self, pool: Pool, news: asyncio.Event) -> None:
        try:
            await self._provisioner.stop(pool)
        except ProvisioningFailed as failed:
            await self._fail(pool, failed)
            await asyncio.sleep(RETRY_AFTER)
        news.set()

    async def _report(self, pool: Pool) -> None:
        instances = tuple(await self._provisioner.instances(pool))
        await self._record(partial(pool_commands.take_in, revision=pool.revision, instances=instances))

    async def _fail(self, pool: Pool, failed: ProvisioningFailed) -> None:
        log.warning("%s: revision %d: %s", pool.service, pool.revision, failed)
        await self._record(partial(pool_commands.cannot, revision=pool.revision, reason=str(failed)))


async def _pause(news: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await news.wait()
    except TimeoutError:
        return  # the pause is over
