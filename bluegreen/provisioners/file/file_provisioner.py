"""The provisioner that makes nothing: something else does, and writes a file of endpoints."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from bluegreen.model.errors import InvalidInput, ProvisioningFailed
from bluegreen.model.pool import Instance, Pool
from bluegreen.model.provisioning import EndpointsFile
from bluegreen.provisioners.file.endpoints_document import Listed, read_endpoints
from bluegreen.provisioners.file.endpoints_path import fill_path, read_file
from bluegreen.provisioners.name_lookup import refuse_unresolvable
from bluegreen.provisioners.polling import Key, Polling
from bluegreen.provisioners.sight import Sight

SETTLE = 0.2
"""Seconds for which a file must stay as it is before it is taken: one that is written in place may be read
half written, and half a list of endpoints is a list of endpoints."""

PATIENCE = 25
"""Times that a file is read again because it has changed meanwhile, before that is a failure."""


@dataclass(slots=True)
class _Watched:
    """A pool's file, and the content that was taken from it last; None: there was no file yet."""

    key: Key
    path: str
    content: bytes | None = None
    sight: Sight = field(default_factory=Sight)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class FileProvisioner:
    """Implements `bluegreen.model.pool.Provisioner` for pools whose source is an EndpointsFile.

    The instances are what the file lists, each as it says: neither `up` nor `stop` can change that. An
    instance's id is its endpoint. A file is looked at from the first call about its pool until that is
    stopped with capacity 0; while it cannot be read, or is gone again, what it said last holds.
    """

    def __init__(self, polling: Polling) -> None:
        self._polling = polling
        self._watched: dict[Key, _Watched] = {}
        self._notify: list[Callable[[Key], None]] = []

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator[FileProvisioner]:
        """A provisioner for as long as the context is open."""
        async with Polling.open() as polling:
            yield cls(polling)

    async def up(self, pool: Pool) -> None:
        """Watch the file. Raises ProvisioningFailed where there is one that cannot be read, and none was
        before."""
        watched = self._watch(pool)
        await self._look(watched)
        watched.sight.told()

    async def stop(self, pool: Pool) -> None:
        """With capacity 0 forget the file. Nothing is stopped, nor waited for: who leaves may stay listed."""
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
        """Empty: where its instances write to is known to nobody here."""
        return ""

    def _watch(self, pool: Pool) -> _Watched:
        if watched := self._watched.get(pool.key):
            return watched
        source = pool.source
        if not isinstance(source, EndpointsFile):
            raise TypeError(f"{pool.key} is none of this provisioner's pools")
        try:
            watched = _Watched(pool.key, fill_path(source.path, pool))
        except InvalidInput as error:
            raise ProvisioningFailed(str(error)) from None
        self._watched[pool.key] = watched
        self._polling.begin(pool.key, source.interval, lambda: self._look(watched))
        return watched

    async def _look(self, watched: _Watched) -> None:
        """Read the file; what fails is noted with what is known."""
        async with watched.turn:
            try:
                sight = await _read(watched)
            except InvalidInput as error:
                sight = replace(watched.sight, trouble=f"{watched.path}: {error}")
            # What is wrong with a file is said in the same words each time: other ones are another trouble.
            is_news = sight.differs(watched.sight) or sight.trouble != watched.sight.trouble
            watched.sight = sight
            if is_news:
                for notify in self._notify:
                    notify(watched.key)


async def _read(watched: _Watched) -> Sight:
    """What is known once the file was read. Raises InvalidInput."""
    content = await _settled(watched.path, watched.content)
    known = watched.sight.instances
    if known is not None and content == watched.content:
        return Sight(known)
    if content is None:
        if known:
            raise InvalidInput("it is gone; what it listed last holds. Write [] where there is none.")
        return Sight(())
    listed = await asyncio.to_thread(read_endpoints, content)
    before = {each.endpoint: each for each in known or ()}
    await refuse_unresolvable({each.endpoint for each in listed} - set(before))
    watched.content = content
    return Sight(tuple(_instance(each, before.get(each.endpoint)) for each in listed))


async def _settled(path: str, before: bytes | None) -> bytes | None:
    """The content of the file, once it is what it was before or stays the same for a while. Raises
    InvalidInput."""
    for _ in range(PATIENCE):
        content = await asyncio.to_thread(read_file, path)
        if content == before:
            return content
        before = content
        await asyncio.sleep(SETTLE)
    raise InvalidInput(f"it has not been the same for {SETTLE:g} s.")


def _instance(listed: Listed, before: Instance | None) -> Instance:
    """Since when it is as it is: since it was listed, or got its present state."""
    if before is not None and before.state is listed.state:
        return before
    return Instance(str(listed.endpoint), listed.endpoint, listed.state, time.time())
