"""The story of the demo: a release, its rollback, and the release again in steps, all under load."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.admin.v1.admin_pb2_grpc import AdminStub
from bluegreen.app.demo.application_process import ApplicationProcess
from bluegreen.app.demo.figures import DemoFigures, Emptied, Move
from bluegreen.app.demo.load_plan import LoadPlan, Target
from bluegreen.app.demo.load_process import LoadProcess
from bluegreen.app.demo.load_report import LoadReport
from bluegreen.app.demo.processes import ChildProcesses
from bluegreen.app.demo.service_watch import DemoFailed, ServiceWatch, deployment, has_status
from bluegreen.app.demo.stage import LOOPBACK, SERVICE, Stage
from bluegreen.app.demo.view import DemoView

ORIGIN = pb.Origin(actor="demo", reason="bluegreen demo")
RATE = 400.0
"""Requests per second over both Envoys."""

BREATH = 2.0
"""Seconds of load between two acts, so that each is seen in the figures."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Plays on a stage, tells a view what happens, and collects the figures."""

    stage: Stage
    children: ChildProcesses
    admin: AdminStub
    watch: ServiceWatch
    view: DemoView
    figures: DemoFigures

    async def play(self) -> LoadReport:
        """The whole story; returns what the load saw. Raises DemoFailed, ChildFailed or grpc.RpcError."""
        await self._set_up()
        async with self.watch.following():
            return await self._release()

    async def _release(self) -> LoadReport:
        v1, _ = await self._deploy("v1", "blue")
        await self._promote(v1, "first traffic for v1", full=True)
        self.view.say(f"Load: {RATE:.0f} requests/s through both Envoys, from a process of its own")
        load = await LoadProcess.start(self.children, self._plan(), self.view.load_reported)
        await asyncio.sleep(BREATH)

        v2, first_processes = await self._deploy("v2", "green")
        await self._check_preview("v2")
        await self._promote(v2, "atomic switch to v2", full=True)
        await asyncio.sleep(BREATH)
        await self._rollback(v1)
        await self._drained(v2, "v2, after the rollback")

        again, _ = await self._deploy("v2", "green", replace_standby=True)
        await self._check_preview("v2")
        await self._promote(again, "v2 in steps", full=False)
        await self._drained(v1, "v1, after the release")
        await self._stop(v2, first_processes)
        await asyncio.sleep(BREATH)
        self.view.say("v1 stays warm on blue: the way back. The load ends")
        return await load.stop()

    async def _set_up(self) -> None:
        self.view.say("Starting the control plane and two real Envoys, an edge and a sidecar")
        control_plane = await self.stage.start_control_plane()
        request = pb.ApplyRequest(origin=ORIGIN, document=self.stage.service_file())
        answer = await control_plane.expect(self._apply(request), 20)
        if answer.problems:
            raise DemoFailed(f"the service file was refused: {answer.problems[0].message}")
        await self.stage.start_proxies()
        await self.stage.proxies_ready()

    async def _apply(self, request: pb.ApplyRequest) -> pb.ApplyResponse:
        answer: pb.ApplyResponse = await self.admin.Apply(request, wait_for_ready=True)
        return answer

    async def _deploy(
        self, version: str, environment: str, *, replace_standby: bool = False
    ) -> tuple[int, list[ApplicationProcess]]:
        self.view.say(f"Starting {version} on {environment}, the idle environment; no traffic reaches it")
        processes = await self.stage.start_version(version, environment)
        request = pb.DeployRequest(
            origin=ORIGIN,
            service=SERVICE,
            version=version,
            endpoints=[process.address for process in processes],
            replace_standby=replace_standby,
        )
        revision: int = (await self.admin.Deploy(request)).deployment_revision
        await self.watch.until(has_status(revision, "ready"), f"{version} gets ready")
        self.view.say(f"{version} is ready: both proxies have acknowledged it and see it healthy")
        return revision, processes

    async def _check_preview(self, version: str) -> None:
        """Ask through the preview listener of each real Envoy before any traffic moves."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as client:
            for gateway, port in self.stage.ports.preview.items():
                async with client.get(f"http://{LOOPBACK}:{port}/") as answer:
                    seen = answer.headers.get("x-version")
                    if answer.status != 200 or seen != version:
                        raise DemoFailed(f"preview of {gateway}: {answer.status} from {seen}, not {version}")
        self.view.say(f"Preview check through both Envoys: {version} answers there, and only there")

    async def _promote(self, revision: int, what: str, *, full: bool) -> None:
        self.view.say(f"Promote: {what}")
        request = pb.PromoteRequest(origin=ORIGIN, service=SERVICE, full=full)
        rollout = (await self.admin.Promote(request)).rollout_id
        steps = 1
        while True:
            status = await self.watch.until(_acknowledged(rollout, steps), what)
            if status.rollout.state in ("aborted", "failed"):
                raise DemoFailed(f"{what}: {status.rollout.state}, {status.rollout.reason}")
            self._moved(what if full else f"{what}, {status.rollout.percent} %", status.rollout)
            if status.rollout.finished_at:
                break
            steps = status.rollout.step + 2
        await self.watch.until(has_status(revision, "active"), what)

    async def _rollback(self, revision: int) -> None:
        self.view.say("Rollback: v1 is warm, so one route update brings it back")
        answer = await self.admin.Rollback(pb.CommandRequest(origin=ORIGIN, service=SERVICE))
        status = await self.watch.until(_acknowledged(answer.rollout_id, 1), "the rollback")
        self._moved("rollback to v1", status.rollout)
        await self.watch.until(has_status(revision, "active"), "v1 is active again")

    async def _drained(self, revision: int, what: str) -> None:
        self.view.say(f"Draining {what}: until both proxies report no request on it, several times")
        status = await self.watch.until(has_status(revision, "draining", "standby"), f"{what} drains")
        found = deployment(status, revision)
        began = found.status_since if found is not None else 0.0
        status = await self.watch.until(has_status(revision, "standby"), f"{what} drains", 70.0)
        found = deployment(status, revision)
        ended = found.status_since if found is not None else 0.0
        self.figures.drains.append(Emptied(what, ended - began))
        self.view.say(f"{what} is standby: {found.note if found is not None else ''}")

    async def _stop(self, revision: int, processes: list[ApplicationProcess]) -> None:
        """Stop the processes of a retired revision, once no proxy holds it any more."""
        await self.watch.until(
            lambda status: deployment(status, revision) is None, f"revision {revision} is released", 90.0
        )
        statuses = await asyncio.gather(*(process.stop() for process in processes))
        if any(statuses):
            raise DemoFailed(f"processes of revision {revision} did not stop well: {statuses}")
        self.view.say(f"Revision {revision}, replaced before, is in no proxy any more: its processes stopped")

    def _moved(self, what: str, rollout: pb.Rollout) -> None:
        move = Move(what, rollout.seconds_to_last_ack, rollout.skew_seconds)
        self.figures.moves.append(move)
        self.view.say(
            f"{what}: acknowledged by both proxies {move.to_last_ack * 1000:.1f} ms after the command, "
            f"{move.skew * 1000:.1f} ms apart"
        )

    def _plan(self) -> LoadPlan:
        targets = tuple(Target(LOOPBACK, port) for port in self.stage.ports.production.values())
        return LoadPlan(targets, rate=RATE)


def _acknowledged(rollout: int, steps: int) -> Callable[[pb.ServiceStatus], bool]:
    """Whether a rollout is past so many of its steps, or over."""

    def holds(status: pb.ServiceStatus) -> bool:
        now = status.rollout
        if now.id != rollout:
            return False
        return bool(now.finished_at) or (now.step + 1 >= steps and now.state == "holding")

    return holds
