"""All provisioners as one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bluegreen.model.pool import Instance, Pool, Provisioner
from bluegreen.model.provisioning import EndpointsFile, ProcessTemplate, ProvisionerCommand
from bluegreen.provisioners.command.command_provisioner import CommandProvisioner
from bluegreen.provisioners.file.file_provisioner import FileProvisioner


@dataclass(frozen=True, slots=True)
class Provisioners:
    """Implements `bluegreen.model.pool.Provisioner`: each pool is the business of what its source names."""

    process: Provisioner
    command: Provisioner
    file: Provisioner

    @classmethod
    @asynccontextmanager
    async def open(cls, process: Provisioner) -> AsyncIterator[Provisioners]:
        """All of them for as long as the context is open; `process` is opened and closed by the caller."""
        async with CommandProvisioner.open() as command, FileProvisioner.open() as file:
            yield cls(process, command, file)

    async def up(self, pool: Pool) -> None:
        await self._of(pool).up(pool)

    async def stop(self, pool: Pool) -> None:
        await self._of(pool).stop(pool)

    def leave_alone(self, pool: Pool) -> None:
        self._of(pool).leave_alone(pool)

    async def instances(self, pool: Pool) -> Sequence[Instance]:
        return await self._of(pool).instances(pool)

    def on_change(self, notify: Callable[[tuple[str, int]], None]) -> None:
        for each in (self.process, self.command, self.file):
            each.on_change(notify)

    async def log(self, pool: Pool, instance: str, lines: int) -> str:
        return await self._of(pool).log(pool, instance, lines)

    def _of(self, pool: Pool) -> Provisioner:
        match pool.source:
            case ProcessTemplate():
                return self.process
            case ProvisionerCommand():
                return self.command
            case EndpointsFile():
                return self.file
