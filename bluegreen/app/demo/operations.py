"""What an operator does in the demo: each command, and the wait for its outcome, told and measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.admin.v1.admin_pb2_grpc import AdminStub
from bluegreen.app.demo.figures import DemoFigures, Emptied, Move
from bluegreen.app.demo.service_file import LOOPBACK
from bluegreen.app.demo.service_watch import DemoFailed, ServiceWatch, deployment, has_status
from bluegreen.app.demo.stage import SERVICE, Stage
from bluegreen.app.demo.view import DemoView

ORIGIN = pb.Origin(actor="demo", reason="bluegreen demo")
SECONDS = 60.0
"""For any outcome, on a machine that is busy with other things."""


@dataclass(frozen=True, slots=True)
class Version:
    """One that was deployed."""

    name: str
    revision: int


@dataclass(frozen=True, slots=True)
class Operations:
    """On one stage. Each raises DemoFailed, ChildFailed or grpc.RpcError where it does not go as promised."""

    stage: Stage
    admin: AdminStub
    watch: ServiceWatch
    view: DemoView
    figures: DemoFigures

    async def set_up(self) -> None:
        """The control plane with its service file, and the proxies."""
        document = self.stage.write_service_file()
        self.view.show_file(document)
        self.view.say("Starting the control plane and two real Envoys, an edge and a sidecar")
        control_plane = await self.stage.start_control_plane()
        request = pb.ApplyRequest(origin=ORIGIN, document=document)
        answer = await control_plane.expect(self._apply(request), SECONDS)
        if answer.problems:
            raise DemoFailed(f"the service file was refused: {answer.problems[0].message}")
        await self.stage.start_proxies()
        await self.stage.proxies_ready()

    async def deploy(self, name: str, *, replace_standby: bool = False) -> Version:
        """Deploy a version, no more: the control plane starts its processes, and its tests follow."""
        version = await self.begin_deployment(name, replace_standby=replace_standby)
        status = await self.watch.until(is_up(version.revision), f"{name} is up", SECONDS)
        found = deployment(status, version.revision)
        if found is not None and found.endpoints:
            self.view.say(
                f"{name} is up: the control plane has started {len(found.endpoints)} processes, "
                f"on {' and '.join(found.endpoints)}"
            )
        return version

    async def begin_deployment(self, name: str, *, replace_standby: bool = False) -> Version:
        """Return as soon as the intent is on disk."""
        request = pb.DeployRequest(
            origin=ORIGIN, service=SERVICE, version=name, replace_standby=replace_standby
        )
        answer = await self.admin.Deploy(request)
        self.view.say(f"Deploy: {answer.message} No traffic reaches it")
        return Version(name, answer.deployment_revision)

    async def ready(self, version: Version) -> None:
        """It is healthy as both proxies see it, and has passed its tests."""
        found = await self.tested(version)
        if found.status != "ready":
            raise DemoFailed(f"{version.name} is {found.status}: {found.note}")
        self.view.say(f"{version.name} is ready: healthy as both proxies see it, and it has passed its tests")

    async def tested(self, version: Version) -> pb.Deployment:
        """Its deployment, once it is ready or has failed."""
        what = f"{version.name} is tested"
        status = await self.watch.until(has_status(version.revision, "ready", "failed"), what, SECONDS)
        found = deployment(status, version.revision)
        if found is None:
            raise DemoFailed(f"{what}: there is no such deployment")
        return found

    async def check_preview(self, version: Version) -> None:
        """Ask through the preview listener of each real Envoy before any traffic moves."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as client:
            for gateway, port in self.stage.ports.preview.items():
                async with client.get(f"http://{LOOPBACK}:{port}/") as answer:
                    seen = answer.headers.get("x-version")
                    if answer.status != 200 or seen != version.name:
                        raise DemoFailed(
                            f"preview of {gateway}: {answer.status} from {seen}, not {version.name}"
                        )
        self.view.say(f"Preview check through both Envoys: {version.name} answers there, and only there")

    async def promote(self, version: Version, what: str, *, full: bool) -> None:
        """Give it all traffic, in steps unless `full`."""
        self.view.say(f"Promote: {what}")
        rollout = await self.begin_rollout(full=full)
        steps = 1
        while True:
            status = await self.watch.until(acknowledged(rollout, steps), what, SECONDS)
            if status.rollout.state not in ("holding", "completed"):
                raise DemoFailed(f"{what}: {status.rollout.state}, {status.rollout.reason}")
            self._moved(what if full else f"{what}, {status.rollout.percent} %", status.rollout)
            if status.rollout.finished_at:
                break
            steps = status.rollout.step + 2
        await self.watch.until(has_status(version.revision, "active"), what, SECONDS)

    async def begin_rollout(self, *, full: bool) -> int:
        """Promote what is ready; the rollout's id."""
        request = pb.PromoteRequest(origin=ORIGIN, service=SERVICE, full=full)
        rollout: int = (await self.admin.Promote(request)).rollout_id
        return rollout

    async def rollback(self, to: Version) -> None:
        self.view.say(f"Rollback: {to.name} is warm, so one route update brings it back")
        answer = await self.admin.Rollback(pb.CommandRequest(origin=ORIGIN, service=SERVICE))
        status = await self.watch.until(acknowledged(answer.rollout_id, 1), "the rollback", SECONDS)
        self._moved(f"rollback to {to.name}", status.rollout)
        await self.watch.until(has_status(to.revision, "active"), f"{to.name} is active again", SECONDS)

    async def drained(self, version: Version, what: str) -> None:
        self.view.say(f"Draining {what}: until both proxies report no request on it, several times")
        revision = version.revision
        status = await self.watch.until(
            has_status(revision, "draining", "standby"), f"{what} drains", SECONDS
        )
        found = deployment(status, revision)
        began = found.status_since if found is not None else 0.0
        status = await self.watch.until(has_status(revision, "standby"), f"{what} drains", 70.0)
        found = deployment(status, revision)
        ended = found.status_since if found is not None else 0.0
        self.figures.drains.append(Emptied(what, ended - began))
        self.view.say(f"{what} is standby: {found.note if found is not None else ''}")

    async def stopped(self, version: Version, what: str) -> Counter[str]:
        """No proxy leads to it any more, and then its processes are stopped: what they counted, by Host."""
        await self.watch.until(
            lambda status: deployment(status, version.revision) is None, f"{what} is stopped", 90.0
        )
        counted = self.stage.instances.counted(SERVICE, version.revision)
        self.view.say(f"{what} is in no proxy any more: the control plane has stopped its processes")
        return counted

    async def _apply(self, request: pb.ApplyRequest) -> pb.ApplyResponse:
        answer: pb.ApplyResponse = await self.admin.Apply(request, wait_for_ready=True)
        return answer

    def _moved(self, what: str, rollout: pb.Rollout) -> None:
        move = Move(what, rollout.seconds_to_last_ack, rollout.skew_seconds)
        self.figures.moves.append(move)
        self.view.say(
            f"{what}: acknowledged by both proxies {move.to_last_ack * 1000:.1f} ms after the command, "
            f"{move.skew * 1000:.1f} ms apart"
        )


def is_up(revision: int) -> Callable[[pb.ServiceStatus], bool]:
    """Whether all processes of a deployment listen, or it is past waiting for them."""

    def holds(status: pb.ServiceStatus) -> bool:
        found = deployment(status, revision)
        if found is None:
            return False
        return (
            found.status not in ("expanding", "deploying") or 0 < found.capacity.wanted <= found.capacity.up
        )

    return holds


def acknowledged(rollout: int, steps: int) -> Callable[[pb.ServiceStatus], bool]:
    """Whether a rollout is past so many of its steps, or stands still, or is over."""

    def holds(status: pb.ServiceStatus) -> bool:
        now = status.rollout
        if now.id != rollout:
            return False
        is_over = bool(now.finished_at) or now.state == "paused"
        return is_over or (now.step + 1 >= steps and now.state == "holding")

    return holds
