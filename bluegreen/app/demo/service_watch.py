"""A service's status as it changes, from the admin API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.admin.v1.admin_pb2_grpc import AdminStub


class DemoFailed(Exception):
    """The demo could not be carried through; says at what."""


class ServiceWatch:
    """Keeps the latest status, tells a listener of each, and lets the story wait for one."""

    def __init__(self, admin: AdminStub, service: str, on_status: Callable[[pb.ServiceStatus], None]) -> None:
        self._admin, self._service, self._on_status = admin, service, on_status
        self._status: pb.ServiceStatus | None = None
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Follow the status for as long as the context is open."""
        task = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _follow(self) -> None:
        async for status in self._admin.WatchStatus(pb.GetStatusRequest(service=self._service)):
            self._on_status(status)
            async with self._changed:
                self._status = status
                self._changed.notify_all()

    async def until(
        self, wanted: Callable[[pb.ServiceStatus], bool], what: str, timeout: float = 30.0
    ) -> pb.ServiceStatus:
        """The first status for which `wanted` holds. Raises DemoFailed, naming `what`, after `timeout` s."""
        try:
            async with asyncio.timeout(timeout), self._changed:
                while self._status is None or not wanted(self._status):
                    await self._changed.wait()
                return self._status
        except TimeoutError:
            activity = self._status.activity if self._status is not None else "no status came"
            raise DemoFailed(f"{what}: not within {timeout:.0f} s; {activity}") from None


def deployment(status: pb.ServiceStatus, revision: int) -> pb.Deployment | None:
    """The deployment with this revision; None where the status has it no longer."""
    return next((each for each in status.deployments if each.revision == revision), None)


def has_status(revision: int, *wanted: str) -> Callable[[pb.ServiceStatus], bool]:
    """Whether a revision is in one of these states, as a condition to wait for."""

    def holds(status: pb.ServiceStatus) -> bool:
        found = deployment(status, revision)
        return found is not None and found.status in wanted

    return holds
