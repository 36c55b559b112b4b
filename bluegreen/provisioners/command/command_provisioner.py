"""The provisioner that has a program of the user's do it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from bluegreen.model.endpoint import Endpoint
from bluegreen.model.errors import InvalidInput, ProvisioningFailed
from bluegreen.model.pool import Instance, Pool
from bluegreen.model.provisioning import ProvisionerCommand
from bluegreen.provisioners.command.contract import Verb, question, read_answer
from bluegreen.provisioners.command.program import Program
from bluegreen.provisioners.name_lookup import refuse_unresolvable
from bluegreen.provisioners.polling import SHORTEST_INTERVAL, Key, Polling
from bluegreen.provisioners.sight import Sight
from bluegreen.subprocesses.command import CommandRunner
from bluegreen.subprocesses.inherited import inherited_environment

COMMANDS_AT_ONCE = 16

ENDPOINTS_TIMEOUT = 30.0
"""Seconds at most for `endpoints`, which changes nothing and stands in the way of what does."""


@dataclass(slots=True)
class _Watched:
    """A pool that is wanted, as it was wanted last. One program at a time is asked about it."""

    pool: Pool
    sight: Sight = field(default_factory=Sight)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class CommandProvisioner:
    """Implements `bluegreen.model.pool.Provisioner` for pools whose source is a ProvisionerCommand.

    A pool is looked at from the first call about it until it is stopped with capacity 0. Nothing is kept:
    after a restart the program is asked anew.
    """

    def __init__(self, program: Program, polling: Polling) -> None:
        self._program = program
        self._polling = polling
        self._watched: dict[Key, _Watched] = {}
        self._notify: list[Callable[[Key], None]] = []

    @classmethod
    @asynccontextmanager
    async def open(
        cls, environment: Mapping[str, str] = os.environ, at_once: int = COMMANDS_AT_ONCE
    ) -> AsyncIterator[CommandProvisioner]:
        """A provisioner for as long as the context is open; programs get the harmless few of `environment`.
        Left, it kills the programs that run, and leaves what they have made as it is."""
        async with Polling.open() as polling:
            yield cls(Program(CommandRunner(at_once), inherited_environment(environment)), polling)

    async def up(self, pool: Pool) -> None:
        await self._ask(self._watch(pool), pool, Verb.UP)

    async def stop(self, pool: Pool) -> None:
        watched, source = self._watch(pool), _source(pool)
        await self._ask(watched, pool, Verb.STOP)
        clock = asyncio.get_running_loop().time
        deadline = clock() + source.timeout
        while left := _left(pool, watched.sight):
            if clock() > deadline:
                there = ", ".join(left)[:300]
                raise ProvisioningFailed(f"{_name(pool)} not gone {source.timeout:g} s after stop: {there}.")
            await asyncio.sleep(max(source.interval, SHORTEST_INTERVAL))
            await self._ask(watched, pool, Verb.ENDPOINTS)
        if pool.capacity == 0:
            self.leave_alone(pool)

    def leave_alone(self, pool: Pool) -> None:
        self._polling.end(pool.key)
        self._watched.pop(pool.key, None)

    async def instances(self, pool: Pool) -> Sequence[Instance]:
        watched = self._watched.get(pool.key)
        if watched is None or watched.sight == Sight():
            watched = self._watch(pool)
            await self._look(watched)
        return watched.sight.told()

    def on_change(self, notify: Callable[[Key], None]) -> None:
        self._notify.append(notify)

    async def log(self, pool: Pool, instance: str, lines: int) -> str:
        """Empty: where its instances write to is known to the program alone."""
        return ""

    def _watch(self, pool: Pool) -> _Watched:
        watched = self._watched.setdefault(pool.key, _Watched(pool))
        watched.pool = pool
        self._polling.begin(pool.key, _source(pool).interval, lambda: self._look(watched))
        return watched

    async def _look(self, watched: _Watched) -> None:
        """Ask for the endpoints, and tell of what is new; what fails is noted with what is known. What `up`
        and `stop` find is not told: whoever has called asks next, and a program that never says the same
        twice would be called without a rest."""
        async with watched.turn:
            before = watched.sight
            try:
                await self._ask_in_turn(watched, watched.pool, Verb.ENDPOINTS)
            except ProvisioningFailed as error:
                watched.sight = replace(watched.sight, trouble=str(error))
        if watched.sight.differs(before):
            for notify in self._notify:
                notify(watched.pool.key)

    async def _ask(self, watched: _Watched, pool: Pool, verb: Verb) -> None:
        async with watched.turn:
            await self._ask_in_turn(watched, pool, verb)

    async def _ask_in_turn(self, watched: _Watched, pool: Pool, verb: Verb) -> None:
        """Raises ProvisioningFailed, which names the pool, the program and the verb."""
        source, known = _source(pool), watched.sight.instances or ()
        timeout = min(source.timeout, ENDPOINTS_TIMEOUT) if verb is Verb.ENDPOINTS else source.timeout
        try:
            text = await self._program.ask(source.command, verb, question(pool, known), timeout)
            told = read_answer(text, time.time(), known)
            await refuse_unresolvable(_endpoints(told) - _endpoints(known))
        except (ProvisioningFailed, InvalidInput) as error:
            asked = " ".join([*source.command, verb])
            raise ProvisioningFailed(f"{_name(pool)} {asked}: {error}") from None
        watched.sight = Sight(told)


def _left(pool: Pool, sight: Sight) -> list[str]:
    """The instances that should be gone."""
    there = [each.id for each in sight.instances or ()]
    return there if pool.capacity == 0 else [each for each in there if each in set(pool.leaving)]


def _endpoints(instances: Sequence[Instance]) -> set[Endpoint]:
    return {each.endpoint for each in instances}


def _source(pool: Pool) -> ProvisionerCommand:
    if not isinstance(pool.source, ProvisionerCommand):
        raise TypeError(f"{pool.key} is none of this provisioner's pools")
    return pool.source


def _name(pool: Pool) -> str:
    return f"{pool.service} {pool.version} ({pool.environment}, revision {pool.revision}):"
