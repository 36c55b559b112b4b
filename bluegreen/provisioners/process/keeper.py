"""Keeps one instance: starts it, waits until it listens, starts it again when it ends, and stops it for good.

    STARTING --listens--> UP --ends--> WAITING --backoff--> STARTING
    UP --is not ready (`ready_path`)--> UNHEALTHY --is ready--> UP; UNHEALTHY --ends--> WAITING
    STARTING --ends, or does not listen in time--> WAITING, or FAILED after some times without ever being UP,
        or with its port taken by another program
    any --leave()--> STOPPING --> gone

Crash only: what is next is stored before it is done, and a keeper begins with what is found, whatever it is.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

from bluegreen.model.errors import ProvisioningFailed
from bluegreen.model.pool import Instance, InstanceState
from bluegreen.model.provisioning import ProcessTemplate
from bluegreen.provisioners.process.last_words import LAST_LINES, with_last_words
from bluegreen.provisioners.process.launch import launch
from bluegreen.provisioners.process.port import is_free, listens
from bluegreen.provisioners.process.readiness import why_not_ready
from bluegreen.provisioners.process.running_process import RunningProcess
from bluegreen.provisioners.process.state_directory import Found
from bluegreen.provisioners.process.surroundings import Surroundings

TRIES = 5
"""Starts in a row of one that was never up, or whose port somebody else has, before it is given up."""

STEADY = 10.0
"""Seconds that one is up before its failures of before are forgotten."""

UNREADY_GRACE = 2.0
"""Seconds from SIGTERM to SIGKILL of one that does not listen: it serves nobody."""

KILL_PATIENCE = 10.0
"""Seconds to die of SIGKILL before that is told. What hangs in the kernel takes longer."""

ADOPT_AGAIN = 1.0
"""Seconds until a process that was found, and could not be looked after, is taken up."""

SLOW = 3.0
"""Seconds of starting after which an operator is told why it is not up yet."""

UNREADY_TRIES = 3
"""Askings in a row without a good answer, before one that was up is called unhealthy. One good answer makes
it up again."""

SHORTEST_LOOK, LONGEST_LOOK = 0.02, 0.25
"""Seconds between two looks whether it listens."""

log = logging.getLogger(__name__)


class _NotWell(Exception):
    """The process has ended, or could not be had; the message says how."""


class _PortTaken(_NotWell):
    """Whoever has its port may keep it for ever, and an instance with another port is to be had."""


class _Leave(Exception):
    """It shall be stopped for good."""


class Keeper:
    """`template` may be replaced at any time: the next start goes by it. `known` is set once what was found
    was looked at: told of before, one that serves would be taken for one that does not."""

    def __init__(self, found: Found, template: ProcessTemplate, around: Surroundings) -> None:
        self.record, self.template = found.record, template
        self.gone, self.known = asyncio.Event(), asyncio.Event()
        if found.identity is None:
            self.known.set()
        self._identity = found.identity
        self._around = around
        self._state, self._since, self._note = InstanceState.STARTING, time.time(), ""
        self._process: RunningProcess | None = None
        self._failures = self._fruitless = 0
        self._leaves = found.record.leaving
        self._woken = asyncio.Event()

    @property
    def instance(self) -> Instance:
        restarts = max(self.record.starts - 1, 0)
        return Instance(self.record.id, self.record.endpoint, self._state, self._since, restarts, self._note)

    @property
    def leaves(self) -> bool:
        return self._leaves

    def leave(self) -> None:
        """Stop it: `gone` is set once that is done."""
        self._leaves = True
        self._woken.set()

    async def keep(self) -> None:
        """Keep it until it is gone. Cancelled, it lets the process run."""
        try:
            await self._adopt()
            while True:
                try:
                    await self._run()
                except _NotWell as trouble:
                    await self._wait_after(trouble)
        except _Leave:
            await self._stop()
        finally:
            if self._process:
                self._process.let_go()

    async def _adopt(self) -> None:
        """Go on with the process that was found, or clear away what is left of it."""
        is_settled = self._identity is None
        while self._identity and not is_settled:
            try:
                self._process = RunningProcess.adopt(self._identity, self._woken.set)
                is_settled = True
            except OSError as error:  # out of descriptors, most likely; it runs on unwatched, not for gone
                log.error("instance %s cannot be taken up yet: %s", self.record.id, error)
                await asyncio.sleep(ADOPT_AGAIN)
        if self._process is None and self.record.starts:
            await self._around.remains.clear(self.record.id)

    async def _run(self) -> None:
        """One life of it. Raises _NotWell at its end."""
        self._raise_if_leaving()
        adopted = self._process is not None
        if not adopted:
            await self._start()
        # One that was up once is not ended for being unwell just now.
        is_known = adopted and self.record.proven
        await self._listen(self._why_deaf if is_known else self._why_not_up)
        since = time.time() - self._identity.age if adopted and self._identity else time.time()
        why = await self._why_not_ready() if is_known else ""
        self._become(InstanceState.UNHEALTHY if why else InstanceState.UP, why, since)
        await self._note_proof()
        began = asyncio.get_running_loop().time()
        try:
            await self._watch()
        finally:
            if asyncio.get_running_loop().time() - began >= STEADY:
                self._failures = 0

    async def _start(self) -> None:
        # What it said at its end before is all that is known of it now.
        self._become(InstanceState.STARTING, self._note)
        self.record = replace(self.record, starts=self.record.starts + 1)
        try:
            if not is_free(self.record.endpoint):
                raise _PortTaken(f"another program listens on its port {self.record.port}")
            await self._around.directory.save(self.record)
            start = launch(self.template, self.record, self._around.directory, self._around.inherited)
            self._process = RunningProcess.start(start, self._woken.set)
        except (OSError, ValueError, ProvisioningFailed) as error:
            raise _NotWell(f"cannot be started: {error}") from error

    async def _watch(self) -> None:
        """Ask it how it is for as long as it runs, if it can be asked. Raises _Leave, _NotWell."""
        bad = 0
        while True:
            await self._rest(None if self.template.ready_path is None else self.template.ready_interval)
            why = await self._why_not_ready()
            bad = bad + 1 if why else 0
            if not why and self._state is InstanceState.UNHEALTHY:
                self._become(InstanceState.UP)
            elif bad == UNREADY_TRIES and self._state is InstanceState.UP:
                self._become(InstanceState.UNHEALTHY, why)

    async def _why_not_up(self) -> str:
        """Why it may not be sent requests yet; empty: it may."""
        return await self._why_deaf() or await self._why_not_ready()

    async def _why_deaf(self) -> str:
        is_there = await listens(self.record.endpoint)
        return "" if is_there else f"did not listen on port {self.record.port}"

    async def _why_not_ready(self) -> str:
        path = self.template.ready_path
        return "" if path is None else await why_not_ready(self.record.endpoint, path)

    async def _listen(self, why_not: Callable[[], Awaitable[str]]) -> None:
        """Wait until it does."""
        clock = asyncio.get_running_loop().time
        deadline, pause = clock() + self.template.ready_timeout, SHORTEST_LOOK
        told, slow = False, min(SLOW, self.template.ready_timeout / 2)
        while why := await why_not():
            self.known.set()
            if not told and clock() >= deadline - self.template.ready_timeout + slow:
                told, note = True, await self._with_last_lines(f"{why} for {slow:g} s")
                self._become(InstanceState.STARTING, note, self._since)
            if clock() >= deadline:
                await self._end_process(UNREADY_GRACE)
                raise _NotWell(f"{why} for {self.template.ready_timeout:g} s, and was stopped")
            await self._rest(pause)
            pause = min(pause * 1.5, LONGEST_LOOK)
        self._raise_if_leaving()
        self._fruitless = 0

    async def _note_proof(self) -> None:
        if not self.record.proven:
            self.record = replace(self.record, proven=True)
            await self._save("that it was up")

    async def _wait_after(self, trouble: _NotWell) -> None:
        """Raises _Leave."""
        if self._process:
            await self._around.remains.clear(self.record.id)
        self._process = None
        with suppress(OSError):  # the claim of a process that is gone harms nobody
            await self._around.directory.drop_claim(self.record)
        self._failures += 1
        self._fruitless += 1
        note = await self._with_last_lines(str(trouble))
        log.warning("%s: instance %s %s", self.record.service, self.record.id, note)
        if self._fruitless >= TRIES and (isinstance(trouble, _PortTaken) or not self.record.proven):
            self._become(InstanceState.FAILED, f"given up after {self._fruitless} starts: {note}")
            await self._rest(None)
        self._become(InstanceState.WAITING, note)
        doubled = self.template.backoff * 2.0 ** min(self._failures - 1, 30)
        await self._rest(min(doubled, self.template.longest_backoff))

    async def _stop(self) -> None:
        self._become(InstanceState.STOPPING)
        self.record = replace(self.record, leaving=True)
        if self._process:
            await self._save("that it is to stop")
            await self._end_process(self.template.grace)
            await self._around.remains.clear(self.record.id)
        try:
            await self._around.directory.remove(self.record)
        except OSError as error:
            log.error("instance %s is gone, but not its record: %s", self.record.id, error)
        self.gone.set()

    async def _end_process(self, grace: float) -> None:
        process = self._process
        if process is None:
            return
        process.terminate()
        patience = grace
        while not await self._ends_within(process, patience):
            if patience == KILL_PATIENCE:
                log.error("process %d of instance %s does not die", process.pid, self.record.id)
            process.kill()
            patience = KILL_PATIENCE

    async def _ends_within(self, process: RunningProcess, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                while not process.ended:
                    self._woken.clear()
                    await self._woken.wait()
        except TimeoutError:
            return False
        return True

    async def _rest(self, seconds: float | None) -> None:
        """Wait so long, or for ever. Raises _Leave, or _NotWell when the process ends."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    self._woken.clear()
                    self._raise_if_leaving()
                    if self._process and self._process.ended:
                        raise _NotWell(self._process.ended)
                    await self._woken.wait()
        except TimeoutError:
            return

    def _raise_if_leaving(self) -> None:
        if self._leaves:
            raise _Leave

    async def _save(self, what: str) -> None:
        """What is no condition of going on."""
        try:
            await self._around.directory.save(self.record)
        except OSError as error:
            log.error("instance %s: %s cannot be stored: %s", self.record.id, what, error)

    def _become(self, state: InstanceState, note: str = "", since: float | None = None) -> None:
        self._state, self._note = state, note
        self._since = time.time() if since is None else since
        self.known.set()
        self._around.changed(self.record.key)

    async def _with_last_lines(self, trouble: str) -> str:
        path = self._around.directory.log_path(self.record.key, self.record.id)
        try:
            lines = await self._around.directory.tail(path, LAST_LINES)
        except OSError as error:
            lines = f"({path} cannot be read: {error.strerror})"
        return with_last_words(trouble, lines, self.template.environment.values())
