"""The provisioner that runs local processes."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bluegreen.model.errors import InvalidInput, ProvisioningFailed
from bluegreen.model.pool import Instance, Pool
from bluegreen.model.provisioning import ProcessTemplate
from bluegreen.provisioners.process.keeper import KILL_PATIENCE, UNREADY_GRACE, Keeper
from bluegreen.provisioners.process.launch import launch, refuse_missing
from bluegreen.provisioners.process.port import PORTS, choose_port
from bluegreen.provisioners.process.record import InstanceRecord
from bluegreen.provisioners.process.state_directory import Found, StateDirectory
from bluegreen.provisioners.process.surroundings import Surroundings
from bluegreen.subprocesses.inherited import inherited_environment
from bluegreen.subprocesses.redaction import Redaction

MAXIMUM_INSTANCES = 1_000
"""Processes of one pool."""

MOST_LINES = 10_000

LOOK_AT_LOGS = 1.0
"""Seconds between two looks whether a log is full."""

Key = tuple[str, int]

_ID = re.compile(r"[0-9a-f]{8}")

log = logging.getLogger(__name__)


class ProcessProvisioner:
    """Implements `bluegreen.model.pool.Provisioner` for pools whose source is a ProcessTemplate.

    What a control plane before us has left is taken up with the first call about its pool, which says how.
    """

    def __init__(
        self, around: Surroundings, found: Sequence[Found], ports: range, group: asyncio.TaskGroup
    ) -> None:
        self._around, self._ports, self._group = around, ports, group
        self._directory = around.directory
        self._found: dict[Key, list[Found]] = {}
        for each in found:
            self._found.setdefault(each.record.key, []).append(each)
        # Of another database: under a revision that is another version's in ours.
        self._strangers: list[Found] = []
        self._taken = {each.record.port for pool in self._found.values() for each in pool}
        self._keepers: dict[Key, dict[str, Keeper]] = {}
        self._tasks = {group.create_task(self._tend_logs(), name="logs of processes")}

    @classmethod
    @asynccontextmanager
    async def open(
        cls, path: Path, environment: Mapping[str, str] = os.environ, ports: range = PORTS
    ) -> AsyncIterator[ProcessProvisioner]:
        """A provisioner for as long as the context is open. What it knows is kept in the directory `path`;
        processes get the harmless few of `environment`. Left, it lets all processes run.

        Raises Refused where another one uses the directory, InvalidInput where this one cannot.
        """
        async with StateDirectory.open(path) as directory:
            around = Surroundings(directory, inherited_environment(environment))
            try:
                found = directory.load()
            except OSError as error:
                raise InvalidInput(f"What is kept in {path} cannot be taken up: {error}.") from error
            async with asyncio.TaskGroup() as group:
                provisioner = cls(around, found, ports, group)
                try:
                    yield provisioner
                finally:
                    for task in provisioner._tasks:
                        task.cancel()

    @property
    def pools(self) -> frozenset[Key]:
        """All pools of which there are instances, also such as no call was about yet."""
        return frozenset(self._found) | frozenset(key for key, keepers in self._keepers.items() if keepers)

    async def up(self, pool: Pool) -> None:
        keepers = self._take_up(pool)
        staying = [each for each in keepers.values() if not each.leaves]
        lacking = pool.capacity - sum(each.record.id not in pool.leaving for each in staying)
        if lacking <= 0:
            return
        template = _template(pool)
        if len(keepers) + lacking > MAXIMUM_INSTANCES:
            raise ProvisioningFailed(
                f"{_name(pool)} {len(keepers) + lacking} processes are too many: at most {MAXIMUM_INSTANCES}."
            )
        try:
            refuse_missing(template, self._around.inherited["PATH"])
            records = [self._new(pool, template) for _ in range(lacking)]
            launch(template, records[0], self._directory, self._around.inherited)
        except ProvisioningFailed as error:
            raise ProvisioningFailed(f"{_name(pool)} {error}") from None
        for record in records:
            self._keep(Found(record, None), template)

    async def stop(self, pool: Pool) -> None:
        keepers = self._take_up(pool)
        going = [each for name, each in keepers.items() if pool.capacity == 0 or name in pool.leaving]
        await self._end(going, _name(pool))

    def leave_alone(self, pool: Pool) -> None:
        """Nothing: each process is looked after until it is stopped."""

    async def instances(self, pool: Pool) -> Sequence[Instance]:
        for each in tuple(self._take_up(pool).values()):
            await each.known.wait()
        return [each.instance for each in self._take_up(pool).values()]

    def on_change(self, notify: Callable[[Key], None]) -> None:
        self._around.notify.append(notify)

    async def log(self, pool: Pool, instance: str, lines: int) -> str:
        """Also of one that is gone, while its log is kept; empty where there is none of that name."""
        if not _ID.fullmatch(instance):
            return ""
        path = self._directory.log_path(pool.key, instance)
        try:
            text = await self._directory.tail(path, min(lines, MOST_LINES))
        except OSError as error:
            raise ProvisioningFailed(f"{_name(pool)} {path} cannot be read: {error.strerror}.") from error
        return Redaction(_template(pool).environment.values()).apply(text)

    async def reap(self) -> None:
        """Stop all that there are, of whatever pool. Raises ProvisioningFailed."""
        for found in [*self._strangers, *(each for pool in self._found.values() for each in pool)]:
            self._keep(found, ProcessTemplate(()))
        self._strangers.clear()
        self._found.clear()
        keepers = [each for pool in self._keepers.values() for each in pool.values()]
        await self._end(keepers, "All processes:")

    async def _end(self, keepers: Sequence[Keeper], whose: str) -> None:
        for each in keepers:
            each.leave()
        patience = max((each.template.grace for each in keepers), default=0.0) + UNREADY_GRACE + KILL_PATIENCE
        try:
            async with asyncio.timeout(patience):
                for each in keepers:
                    await each.gone.wait()
        except TimeoutError:
            left = [each.record.id for each in keepers if not each.gone.is_set()]
            raise ProvisioningFailed(
                f"{whose} not gone within {patience:g} s, SIGKILL included: {', '.join(left)[:300]}."
            ) from None

    def _take_up(self, pool: Pool) -> Mapping[str, Keeper]:
        """The keepers of a pool, which go by its template from now on. Raises ProvisioningFailed."""
        template = _template(pool)
        for each in self._keepers.get(pool.key, {}).values():
            each.template = template
        for found in self._found.pop(pool.key, ()):
            if (found.record.version, found.record.environment) == (pool.version, pool.environment):
                self._keep(found, template)
            else:
                self._strangers.append(found)
                log.error("%s", _strange(found, pool))
        return self._keepers.get(pool.key, {})

    def _new(self, pool: Pool, template: ProcessTemplate) -> InstanceRecord:
        """An instance with a name and a port that no other one has, and that no other one will have."""
        record = InstanceRecord(
            id=secrets.token_hex(4),
            service=pool.service,
            environment=pool.environment,
            revision=pool.revision,
            version=pool.version,
            host=template.host,
            port=choose_port(template.host, self._taken, self._ports),
            created=time.time(),
        )
        self._taken.add(record.port)
        return record

    def _keep(self, found: Found, template: ProcessTemplate) -> None:
        keeper = Keeper(found, template, self._around)
        self._keepers.setdefault(found.record.key, {})[found.record.id] = keeper
        task = self._group.create_task(self._keep_until_gone(keeper), name=f"instance {found.record.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep_until_gone(self, keeper: Keeper) -> None:
        await keeper.keep()
        record = keeper.record
        del self._keepers[record.key][record.id]
        if not self._keepers[record.key]:
            del self._keepers[record.key]
        self._taken.discard(record.port)
        self._around.changed(record.key)

    async def _tend_logs(self) -> None:
        while True:
            records = [each.record for pool in self._keepers.values() for each in pool.values()]
            records += [each.record for pool in self._found.values() for each in pool]
            records += [each.record for each in self._strangers]
            try:
                await self._directory.tend_logs(records)
            except OSError as error:
                log.warning("the logs of processes cannot be kept short: %s", error)
            await asyncio.sleep(LOOK_AT_LOGS)


def _template(pool: Pool) -> ProcessTemplate:
    if not isinstance(pool.source, ProcessTemplate):
        raise ProvisioningFailed(f"{_name(pool)} Its instances are no local processes.")
    return pool.source


def _name(pool: Pool) -> str:
    return f"{pool.service}, {pool.version} on {pool.environment}:"


def _strange(found: Found, pool: Pool) -> str:
    record, pid = found.record, found.identity.pid if found.identity else "none"
    return (
        f"{_name(pool)} instance {record.id} (process {pid}) is {record.version} on {record.environment},"
        f" though its revision is {pool.revision} as well: it is another database's. It is left alone."
    )
