"""The control plane under test: `bluegreen serve` as a process, asked over its admin API."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc

from bluegreen.admin.contract import MAX_DOCUMENT
from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.admin.v1.admin_pb2_grpc import AdminStub
from bluegreen.app.demo.ports import free_port
from bluegreen.app.demo.processes import ChildProcess, ChildProcesses, Command

LOOPBACK = "127.0.0.1"
ORIGIN = pb.Origin(actor="bench")
PATIENCE = 300.0
"""Seconds for anything that is waited for."""

_TICKS = os.sysconf("SC_CLK_TCK")


class ControlPlane:
    """Made by `serving`. Waits go by one stream of events, so that the watching costs little."""

    def __init__(self, child: ChildProcess, channel: grpc.aio.Channel, xds: str, http: str) -> None:
        self.xds, self.http = xds, http
        self.admin = AdminStub(channel)
        self._child = child
        self._seen: set[tuple[str, int, str]] = set()
        self._changed: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    @property
    def pid(self) -> int:
        return self._child.pid

    def cpu(self) -> float:
        """Seconds of CPU since it was started."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    async def apply(
        self, services: Mapping[str, Mapping[str, object]], gateways: Mapping[str, object]
    ) -> None:
        # JSON is YAML too, and has no aliases, which a service file may not have.
        document = json.dumps({"gateways": gateways, "services": services})
        answer = await self.admin.Apply(pb.ApplyRequest(origin=ORIGIN, document=document))
        if answer.problems:
            raise ValueError(str(answer.problems))

    async def deploy(self, service: str, version: str, *endpoints: str) -> int:
        """The revision, once it is ready. Without endpoints, the service says where they come from."""
        request = pb.DeployRequest(
            origin=ORIGIN, service=service, version=version, endpoints=endpoints, replace_standby=True
        )
        revision: int = (await self.admin.Deploy(request)).deployment_revision
        await self.until(service, revision, "ready")
        return revision

    async def promote(self, service: str, *, full: bool = True) -> int:
        """The id of the rollout, as soon as it is recorded."""
        answer = await self.admin.Promote(pb.PromoteRequest(origin=ORIGIN, service=service, full=full))
        return int(answer.rollout_id)

    async def rollback(self, service: str) -> int:
        """The id of the rollout, as soon as it is recorded."""
        answer = await self.admin.Rollback(pb.CommandRequest(origin=ORIGIN, service=service))
        return int(answer.rollout_id)

    async def release(self, service: str, version: str, *endpoints: str) -> None:
        revision = await self.deploy(service, version, *endpoints)
        await self.promote(service)
        await self.until(service, revision, "active")

    async def status(self, service: str) -> pb.ServiceStatus:
        return await self.admin.GetStatus(pb.GetStatusRequest(service=service))

    async def until(self, service: str, number: int, what: str) -> None:
        """Wait for an event: a revision's new status; or the outcome of a rollout, or a percent that is
        acknowledged, by the rollout's id."""
        changed = self._changed[service]
        async with asyncio.timeout(PATIENCE):
            while (service, number, what) not in self._seen:
                changed.clear()
                await changed.wait()

    async def follow(self) -> None:
        """Read events until cancelled."""
        async for event in self.admin.ListEvents(pb.ListEventsRequest(follow=True)):
            if event.what == "weight-set":
                continue  # the intent, of a revision that may have the number of the rollout
            by_rollout = event.what in ("rollout-finished", "weight-acknowledged")
            number = event.rollout_id if by_rollout else event.deployment_revision
            self._seen.add((event.service, number, event.to))
            self._changed[event.service].set()


@asynccontextmanager
async def serving(children: ChildProcesses) -> AsyncIterator[ControlPlane]:
    """A control plane with an empty database, ready to be asked."""
    xds, admin, http = (f"{LOOPBACK}:{free_port()}" for _ in range(3))
    arguments = (
        *(sys.executable, "-m", "bluegreen", "serve", f"--xds-listen={xds}", f"--admin-listen={admin}"),
        *(f"--http-listen={http}", f"--database={children.run_directory / 'bluegreen.db'}"),
        "--log-level=warning",
    )
    child = await children.start(Command("control-plane", arguments))
    async with grpc.aio.insecure_channel(admin, _OPTIONS) as channel:
        control_plane = ControlPlane(child, channel, xds, http)
        await child.expect(_answers(control_plane), 20)
        following = asyncio.create_task(control_plane.follow())
        try:
            yield control_plane
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


_OPTIONS: list[tuple[str, Any]] = [
    ("grpc.max_send_message_length", MAX_DOCUMENT),
    ("grpc.max_receive_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 200),
]


async def _answers(control_plane: ControlPlane) -> None:
    await control_plane.admin.ListServices(pb.ListServicesRequest(), wait_for_ready=True)
