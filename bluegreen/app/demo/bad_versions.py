"""The second half of the story: three versions that are not as they should be, and what becomes of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.app.demo.faults import BAD_VERSIONS
from bluegreen.app.demo.figures import Stopped
from bluegreen.app.demo.load_process import LoadProcess
from bluegreen.app.demo.operations import SECONDS, Operations, Version, acknowledged
from bluegreen.app.demo.service_file import LOOPBACK
from bluegreen.app.demo.service_watch import DemoFailed
from bluegreen.app.demo.stage import SERVICE


@dataclass(frozen=True, slots=True)
class BadVersions:
    """Each is stopped by the control plane; nobody turns anything back by hand."""

    operations: Operations
    load: LoadProcess

    async def fails_its_test(self, name: str) -> Version:
        """One that its smoke test finds out: it is never promoted, and could not be."""
        version = await self.operations.deploy(name, replace_standby=True)
        found = await self.operations.tested(version)
        if found.status != "failed":
            raise DemoFailed(f"{name} is {found.status}, although it fails its smoke test")
        stopped = Stopped(name, "fails its smoke test", BAD_VERSIONS[name], found.note)
        self.operations.figures.stopped.append(stopped)
        self.operations.view.say(f"{name} has failed: {found.note}")
        return version

    async def turned_back(self, name: str, what: str) -> Version:
        """One that passes its tests, and shows what it is worth only when it has traffic."""
        version = await self.operations.deploy(name)
        await self.operations.ready(version)
        self.operations.view.say(f"Promote: {name}, which {what}. Nobody watches it but the analysis")
        rollout = await self.operations.begin_rollout(full=False)
        status = await self.operations.watch.until(acknowledged(rollout, 1), f"{name} gets traffic", SECONDS)
        self.operations.view.say(f"{name} has {status.rollout.percent} % of the traffic")
        status = await self.operations.watch.until(
            lambda status: status.rollout.id == rollout and _stands(status.rollout),
            f"{name} is turned back",
            SECONDS,
        )
        if status.rollout.state != "failed":
            raise DemoFailed(
                f"{name} was not turned back: {status.rollout.state} {status.rollout.reason}".rstrip()
            )
        back_at = await self._back_at(status.rollout)
        reason = status.rollout.reason
        stopped = Stopped(name, what, BAD_VERSIONS[name], reason, back_at)
        self.operations.figures.stopped.append(stopped)
        await self.load.until(lambda _: True, SECONDS)  # its next report has all that was before it
        damage = self.load.reports.damage.get(name)
        took = f", {back_at - damage.first_at:.1f} s after its first bad answer" if damage else ""
        self.operations.view.say(f"{name} is turned back{took}: {reason}")
        return version

    def count(self, version: Version, seen: Counter[str]) -> None:
        """Take down what its processes have counted: production is known by the Host of the requests."""
        hosts = {f"{LOOPBACK}:{port}" for port in self.operations.stage.ports.production.values()}
        production = sum(seen[host] for host in hosts)
        self.operations.figures.reached[version.name] = production
        self.operations.view.say(
            f"{version.name} has counted {production} requests of production, "
            f"{seen.total() - production} through the previews"
        )

    async def _back_at(self, rollout: pb.Rollout) -> float:
        """When the last proxy acknowledged that the candidate has no traffic any more, since the epoch."""
        events = self.operations.admin.ListEvents(pb.ListEventsRequest(service=SERVICE))
        async for event in events:
            if event.rollout_id == rollout.id and event.what == "turned-back":
                return float(event.at + rollout.seconds_to_last_ack)
        raise DemoFailed(
            f"rollout {rollout.id} is {rollout.state}, but no event says that it was turned back"
        )


def _stands(rollout: pb.Rollout) -> bool:
    return bool(rollout.finished_at) or rollout.state == "paused"
