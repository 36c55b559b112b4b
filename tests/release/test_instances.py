"""Instances that bluegreen runs itself, from the deployment to the last exit: real processes, behind real
Envoys, under load."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.app.demo.load_process import LoadProcess
from bluegreen.app.demo.processes import ChildProcess, ChildProcesses
from bluegreen.provisioners.process.process_provisioner import ProcessProvisioner
from tests.release.world import ORIGIN, SHOP, World
from tests.support.exits import gone, is_running
from tests.support.fixtures import StartLoad

HEALTH = {"path": "/healthz", "interval": "500ms"}
LAME_DUCK = 1.0
"""Seconds that an application goes on accepting after SIGTERM: longer than HEALTH takes to notice."""

RATE = 150.0


@dataclass(frozen=True)
class Running:
    """A process, as the machine shows it."""

    pid: int
    port: int
    version: str


class Machine:
    """What runs on it for this test. All instances bear `mark` in their environment."""

    def __init__(self) -> None:
        self.mark = secrets.token_hex(8)

    def template(self, *options: str) -> dict[str, Any]:
        """For the service file."""
        command = (
            *(sys.executable, "-m", "bluegreen.app.demo.application", f"--lame-duck={LAME_DUCK}"),
            *("--version", "{version}", "--port", "{port}", *options),
        )
        return {"command": list(command), "environment": {"MARK": self.mark}, "backoff": "100ms"}

    def running(self, version: str = "") -> list[Running]:
        """Those that have this version, or any."""
        found = []
        for name in filter(str.isdecimal, os.listdir("/proc")):
            try:
                environment = Path(f"/proc/{name}/environ").read_bytes().decode(errors="replace").split("\0")
            except OSError:  # it has ended, or is another user's
                continue
            if f"MARK={self.mark}" in environment:
                of = dict(each.split("=", 1) for each in environment if "=" in each)
                found.append(Running(int(name), int(of["PORT"]), of["BLUEGREEN_VERSION"]))
        return [each for each in found if version in ("", each.version)]


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
async def children(run_directory: Path, tmp_path: Path) -> AsyncIterator[ChildProcesses]:
    """As everywhere, and the instances are gone after the test too: a control plane lets them run."""
    async with ChildProcesses(run_directory, grace=2.0) as processes:
        yield processes
    async with ProcessProvisioner.open(tmp_path / "bluegreen.db.processes") as left:
        await left.reap()


async def deploy(world: World, version: str) -> int:
    """Deploy, without endpoints; the revision, which is not ready yet."""
    answer = await world.admin.Deploy(pb.DeployRequest(origin=ORIGIN, service=SHOP, version=version))
    revision: int = answer.deployment_revision
    return revision


async def release(world: World, version: str) -> int:
    """Deploy, promote and wait until it is active; the revision."""
    revision = await deploy(world, version)
    await world.until(revision, "ready")
    await world.promote(full=True)
    await world.until(revision, "active")
    return revision


async def scale(world: World, instances: int) -> None:
    await world.admin.Scale(pb.ScaleRequest(origin=ORIGIN, service=SHOP, instances=instances))


async def instances_when(
    world: World, holds: Callable[[Sequence[pb.Instance]], bool], revision: int = 1
) -> Sequence[pb.Instance]:
    """The instances of a deployment, once this holds of them."""
    last: object = "no status came"
    try:
        async with asyncio.timeout(30):
            asked = pb.GetStatusRequest(service=SHOP, instances=True)
            async for status in world.admin.WatchStatus(asked, wait_for_ready=True):
                last = next(each.instances for each in status.deployments if each.revision == revision)
                if holds(last):
                    return last
    except TimeoutError:
        raise AssertionError(f"not within 30 s: {last}") from None
    raise AssertionError(f"the watch ended: {last}")


def up(count: int) -> Callable[[Sequence[pb.Instance]], bool]:
    """Exactly so many there are, and each is up."""
    return lambda instances: len(instances) == count and all(each.state == "up" for each in instances)


async def exit_times(processes: Sequence[Running]) -> list[float]:
    """When each of them ended, in seconds since the epoch; once all have."""

    async def exit_time(process: Running) -> float:
        await gone(process.pid, timeout=60.0)
        return time.time()

    return await asyncio.gather(*map(exit_time, processes))


async def kill(control_plane: ChildProcess) -> None:
    control_plane.send(signal.SIGKILL)
    await control_plane.exited()


async def unharmed(running: LoadProcess) -> None:
    report = await running.stop()
    assert report.failed == 0, report.examples
    assert report.requests > 0


async def test_the_old_processes_are_stopped_once_no_proxy_knows_them(
    world: World, load: StartLoad, machine: Machine
) -> None:
    await world.start(
        health_check=HEALTH, keep_warm="1s", instances={"count": 3, "process": machine.template()}
    )
    await release(world, "v1")
    old = machine.running()
    assert len(old) == 3
    running = await load(*world.entries(), rate=RATE)
    exits = asyncio.ensure_future(exit_times(old))
    await release(world, "v2")
    assert len(machine.running("v2")) == 3
    released = await world.happens("released")
    stopped = await world.happens("stopped")
    assert min(await exits) >= released.at + LAME_DUCK, "none was asked to stop before it was released"
    assert released.id < stopped.id
    assert {each.version for each in machine.running()} == {"v2"}
    await unharmed(running)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
async def test_an_operator_ends_one_instance_by_hand(
    world: World, load: StartLoad, machine: Machine, number: signal.Signals
) -> None:
    # Each request takes a while, so that the killed one has some under way: repeated are those by GET.
    template = machine.template("--latency=0.2")
    await world.start(health_check=HEALTH, instances={"count": 3, "process": template})
    await release(world, "v1")
    before = await instances_when(world, up(3))
    victim = machine.running()[0]
    running = await load(*world.entries(), rate=RATE)
    os.kill(victim.pid, number)
    await gone(victim.pid)
    after = await instances_when(world, lambda all_of: up(3)(all_of) and any(one.restarts for one in all_of))
    assert [each.endpoint for each in after] == [each.endpoint for each in before]
    assert {each.endpoint.rsplit(":")[-1]: each.restarts for each in after} == {
        str(each.port): int(each.port == victim.port) for each in machine.running()
    }
    count = running.reports.requests
    await running.until(lambda report: running.reports.requests > count + RATE)  # it goes on
    report = await running.stop()
    if number is signal.SIGTERM:
        assert report.failed == 0, report.examples
    else:
        # A quarter of the load is POST: 37 a second, of 0.2 s each, by a third on the one that was killed.
        assert report.failures.keys() <= {"status 503"}, report.examples
        assert all("POST" in each for each in report.examples), report.examples
        assert report.failed <= 20, report.examples
        print(f"lost by SIGKILL: {report.failed} POSTs of {report.requests} requests")


async def test_fewer_and_more_instances(world: World, load: StartLoad, machine: Machine) -> None:
    await world.start(health_check=HEALTH, instances={"count": 3, "process": machine.template()})
    await release(world, "v1")
    running = await load(*world.entries(), rate=RATE)
    first, *others = await instances_when(world, up(3))
    exits = asyncio.ensure_future(
        exit_times([each for each in machine.running() if not first.endpoint.endswith(f":{each.port}")])
    )
    await scale(world, 1)
    (left,) = await instances_when(world, up(1))
    assert left.id == first.id, "the newest leave"
    told = [each.at for each in await world.events() if "may be stopped" in each.message]
    assert len(told) == 1
    assert min(await exits) >= told[0] + LAME_DUCK, "none was asked to stop before no proxy knew it"
    await scale(world, 3)
    again = await instances_when(world, up(3))
    assert not {each.id for each in others} & {each.id for each in again}
    await world.when(lambda status: all(each.acknowledged for each in status.proxies))
    assert len(machine.running()) == 3
    await unharmed(running)


@pytest.mark.parametrize("moment", [0.0, 0.3, 1.0])
async def test_killed_in_the_middle_of_a_deployment_it_doubles_and_loses_no_process(
    world: World, load: StartLoad, machine: Machine, moment: float
) -> None:
    control_plane = await world.start(
        health_check=HEALTH, instances={"count": 3, "process": machine.template()}
    )
    await release(world, "v1")
    first = machine.running()
    running = await load(*world.entries(), rate=RATE)
    revision = await deploy(world, "v2")
    await asyncio.sleep(moment)
    await kill(control_plane)
    begun = {each.pid for each in machine.running("v2")}
    await world.start_control_plane()
    await world.until(revision, "ready")
    second = machine.running("v2")
    assert len(second) == len({each.port for each in second}) == 3
    assert len(begun & {each.pid for each in second}) == len(begun), "those that ran already still do"
    assert machine.running("v1") == first
    await world.promote(full=True)
    await world.until(revision, "active")
    await unharmed(running)


@pytest.mark.parametrize("moment", [0.0, 0.15, 0.5])
async def test_killed_while_instances_leave_it_stops_those_and_no_others(
    world: World, load: StartLoad, machine: Machine, moment: float
) -> None:
    control_plane = await world.start(
        health_check=HEALTH, instances={"count": 3, "process": machine.template()}
    )
    await release(world, "v1")
    first, *_ = await instances_when(world, up(3))
    running = await load(*world.entries(), rate=RATE)
    await scale(world, 1)
    await asyncio.sleep(moment)
    await kill(control_plane)
    await world.start_control_plane()
    (left,) = await instances_when(world, up(1))
    assert left.id == first.id
    assert [f"127.0.0.1:{each.port}" for each in machine.running()] == [first.endpoint]
    await unharmed(running)


async def test_a_standby_at_half_is_scaled_up_before_the_way_back(
    world: World, load: StartLoad, machine: Machine
) -> None:
    instances = {"count": 2, "standby_capacity": "50%", "process": machine.template()}
    await world.start(health_check=HEALTH, keep_warm="1s", instances=instances)
    await release(world, "v1")
    running = await load(*world.entries(), rate=RATE)
    await release(world, "v2")
    await instances_when(world, up(1))
    assert [len(machine.running(version)) for version in ("v1", "v2")] == [1, 2]
    status = await world.status()
    assert (status.rollback_scale_up.from_instances, status.rollback_scale_up.to_instances) == (1, 2)

    rollout = await world.rollback()
    await world.finished(rollout)
    assert len(machine.running("v1")) == 2
    events = await world.events()
    scaled = next(
        each for each in reversed(events) if each.what == "scaled" and each.deployment_revision == 1
    )
    shifted = next(each for each in events if each.what == "weight-set" and each.id > scaled.id)
    came_up = [each.at for each in events if each.what == "instances-changed" and each.to == "2"]
    assert scaled.at < came_up[-1] <= shifted.at, "no weight moves before the capacity is there"
    await unharmed(running)


async def test_a_version_whose_port_never_opens_fails_with_its_last_words(
    world: World, machine: Machine
) -> None:
    """At the deadline of the deployment, long before its processes are given up."""
    template = machine.template()
    template["command"] = ["sh", "-c", "echo waiting for the database; exec sleep 600"]
    strategy = {"ready_deadline": "5s"}
    await world.start(health_check=HEALTH, instances={"count": 1, "process": template}, strategy=strategy)
    await deploy(world, "v1")
    failed = await world.happens("failed")
    assert "did not listen on port" in failed.message
    assert "waiting for the database" in failed.message
    await world.happens("stopped")
    assert machine.running() == []


async def test_a_version_that_exits_at_once_fails_with_its_last_words(
    world: World, load: StartLoad, machine: Machine
) -> None:
    template = machine.template()
    script = 'if [ "$BLUEGREEN_VERSION" = v2 ]; then echo no database; exit 3; fi; exec "$@"'
    template["command"] = ["sh", "-c", script, "sh", *template["command"]]
    await world.start(health_check=HEALTH, instances={"count": 2, "process": template})
    await release(world, "v1")
    first = machine.running()
    running = await load(*world.entries(), rate=RATE)
    revision = await deploy(world, "v2")
    await world.happens("stopped")
    history = await world.admin.GetHistory(pb.GetHistoryRequest(service=SHOP))
    (failed,) = (each for each in history.deployments if each.revision == revision)
    assert failed.status == "failed"
    assert "no database" in failed.note
    assert "exit status 3" in failed.note
    assert machine.running() == first
    assert all(is_running(each.pid) for each in first)
    await unharmed(running)
