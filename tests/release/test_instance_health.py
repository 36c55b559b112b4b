"""Instances of which their provisioner says how they are: real processes, behind real Envoys, under load."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from pathlib import Path

import aiohttp
import pytest
import yaml

from bluegreen.admin.v1 import admin_pb2 as pb
from tests.release.test_instances import (
    RATE,
    Machine,
    children,
    deploy,
    instances_when,
    machine,
    release,
    scale,
    unharmed,
    up,
)
from tests.release.world import ORIGIN, SHOP, World
from tests.support.application_process import ApplicationProcess
from tests.support.fixtures import StartApplication, StartLoad

__all__ = ["children", "machine"]

JUDGED = "provisioner"
WELL, SICK = "healthy", "unhealthy"


class Listed:
    """The files that tell of the instances, one an environment; an entry is written whole or not at all."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @property
    def entry(self) -> dict[str, object]:
        """For the service file."""
        return {"path": f"{self._directory}/{{environment}}.json", "interval": "100ms"}

    def path(self, environment: str) -> Path:
        return self._directory / f"{environment}.json"

    def write(self, environment: str, *listed: tuple[ApplicationProcess, str]) -> None:
        entries = [{"endpoint": each.address, "health": health} for each, health in listed]
        path = self.path(environment)
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(entries))
        draft.replace(path)


@pytest.fixture
def listed(tmp_path: Path) -> Listed:
    return Listed(tmp_path)


async def health_statuses(world: World, process: ApplicationProcess) -> set[str]:
    """What the Envoys have been told of an instance, of whatever cluster."""
    found = set()
    for proxy in world.proxies.values():
        for cluster in await proxy.admin.clusters():
            for host in cluster.get("host_statuses", []):
                if host["address"]["socket_address"]["port_value"] == process.port:
                    found.add(host["health_status"].get("eds_health_status", ""))
    return found


async def told(world: World, process: ApplicationProcess, status: str) -> float:
    """When all Envoys have been told so of an instance, in seconds since the epoch."""
    async with asyncio.timeout(15):
        while await health_statuses(world, process) != {status}:  # noqa: ASYNC110 - an Envoy tells nobody
            await asyncio.sleep(0.002)
    return time.time()


async def counted(process: ApplicationProcess) -> int:
    """How many requests have reached an instance, health checks aside."""
    async with aiohttp.ClientSession() as session, session.get(f"{process.url}/count") as response:
        by_host = await response.json()
    return sum(by_host.values())


async def reached(process: ApplicationProcess, more_than: int) -> None:
    """More requests have come than so many."""
    async with asyncio.timeout(15):
        while await counted(process) <= more_than:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "health_check", [JUDGED, {"path": "/healthz", "interval": "500ms"}], ids=["alone", "too"]
)
async def test_one_that_its_provisioner_calls_unhealthy_gets_no_request_though_it_listens(
    world: World, load: StartLoad, application: StartApplication, listed: Listed, health_check: object
) -> None:
    """Also where the proxies check by themselves, and find it well."""
    well, sick = [await application("v1") for _ in range(2)]
    listed.write("blue", (well, WELL), (sick, WELL))
    await world.start(health_check=health_check, instances={"count": 2, "file": listed.entry})
    revision = await release(world, "v1")
    running = await load(*world.entries(), rate=RATE)
    await reached(sick, await counted(sick))

    asked = time.time()
    listed.write("blue", (well, WELL), (sick, SICK))
    at = await told(world, sick, "UNHEALTHY")
    recorded = await record_of(world, "1", asked)
    print(f"unhealthy: {(at - recorded) * 1000:.0f} ms from the record to the last Envoy")
    assert at - recorded < 1.0
    shown = await instances_when(world, lambda all_of: [each.state for each in all_of] == ["up", "unhealthy"])
    assert [each.endpoint for each in shown] == [well.address, sick.address]
    await world.when(lambda status: healthy_of(status, revision) == {1})
    before, others = await counted(sick), await counted(well)
    await reached(well, others + int(RATE))
    assert await counted(sick) == before

    listed.write("blue", (well, WELL), (sick, WELL))
    await reached(sick, before)
    await instances_when(world, up(2))
    await world.when(lambda status: healthy_of(status, revision) == {2})
    await unharmed(running)


async def record_of(world: World, instances: str, since: float) -> float:
    """When it was recorded that so many are up."""
    return next(
        each.at
        for each in await world.events()
        if each.what == "instances-changed" and each.to == instances and each.at >= since
    )


def healthy_of(status: pb.ServiceStatus, revision: int) -> set[int]:
    """How many instances the proxies count as healthy."""
    return {each.healthy for proxy in status.proxies for each in proxy.backends if each.revision == revision}


async def test_a_release_waits_until_every_instance_is_called_healthy(
    world: World, load: StartLoad, application: StartApplication, listed: Listed
) -> None:
    blue, *green = [await application(version) for version in ("v1", "v2", "v2")]
    listed.write("blue", (blue, WELL), (await application("v1"), WELL))
    await world.start(health_check=JUDGED, instances={"count": 2, "file": listed.entry})
    await release(world, "v1")
    running = await load(*world.entries(), rate=RATE)
    listed.write("green", (green[0], WELL), (green[1], SICK))
    revision = await deploy(world, "v2")
    waiting = await world.when(lambda status: "1 of 2 instances are up" in status.activity)
    assert f"{green[1].address}: unhealthy" in waiting.activity
    assert waiting.deployments[-1].status == "deploying"
    listed.write("green", (green[0], WELL), (green[1], WELL))
    await world.until(revision, "ready")
    # Between ready and the promotion, one gets unhealthy: no weight moves.
    listed.write("green", (green[0], SICK), (green[1], WELL))
    await instances_when(
        world, lambda all_of: [each.state for each in all_of] == ["unhealthy", "up"], revision
    )
    rollout = await world.promote(full=True)
    await world.when(lambda status: "sees 1 of 2 instances healthy" in status.activity)
    assert not any(each.what == "weight-set" and each.rollout_id == rollout for each in await world.events())
    listed.write("green", (green[0], WELL), (green[1], WELL))
    await world.until(revision, "active")
    await unharmed(running)


async def test_a_process_that_hangs_is_left_out_until_it_answers(
    world: World, load: StartLoad, machine: Machine
) -> None:
    template = machine.template() | {"ready_path": "/healthz", "ready_interval": "100ms"}
    await world.start(health_check=JUDGED, instances={"count": 3, "process": template})
    await release(world, "v1")
    victim = machine.running()[0]
    os.kill(victim.pid, signal.SIGSTOP)
    try:
        await instances_when(world, lambda all_of: any(each.state == "unhealthy" for each in all_of))
        await world.when(lambda status: healthy_of(status, 1) == {2})
        running = await load(*world.entries(), rate=RATE)
        await running.until(lambda report: running.reports.requests > RATE)
    finally:
        os.kill(victim.pid, signal.SIGCONT)
    (back, *_) = (
        each for each in await instances_when(world, up(3)) if each.endpoint.endswith(str(victim.port))
    )
    assert back.restarts == 0
    await unharmed(running)


async def test_both_environments_in_one_file_are_refused(
    world: World, load: StartLoad, application: StartApplication, listed: Listed
) -> None:
    """The path differs, as it has to; the file does not."""
    process = await application("v1")
    listed.write("blue", (process, WELL))
    listed.path("green").symlink_to(listed.path("blue"))
    await world.start(instances={"count": 1, "file": listed.entry})
    await release(world, "v1")
    running = await load(*world.entries(), rate=RATE)
    revision = await deploy(world, "v2")
    failed = await world.happens("failed")
    assert failed.deployment_revision == revision
    assert f"{process.address} serves v1 on blue already" in failed.message
    await world.happens("released", after=failed.id)
    await unharmed(running)


async def test_a_program_that_takes_one_environment_for_the_other_ends_nothing(
    world: World, load: StartLoad, application: StartApplication, tmp_path: Path
) -> None:
    process = await application("v1")
    answer = json.dumps({"instances": [{"id": "one", "endpoint": process.address, "state": "up"}]})
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho \"$1\" >> {tmp_path}/verbs\necho '{answer}'\n")
    program.chmod(0o755)
    command = {"command": [str(program)], "interval": "100ms"}
    await world.start(instances={"count": 1, "command": command}, drain={"grace": "200ms", "deadline": "2s"})
    await release(world, "v1")
    running = await load(*world.entries(), rate=RATE)
    await deploy(world, "v2")
    failed = await world.happens("failed")
    assert f"{process.address} serves v1 on blue already" in failed.message
    await world.happens("released", after=failed.id)
    await reached(process, await counted(process) + int(RATE))
    assert "stop" not in (tmp_path / "verbs").read_text().split()
    await unharmed(running)


async def apply_count(world: World, count: int, template: dict[str, object]) -> None:
    await world.apply(world.described(health_check=JUDGED, instances={"count": count, "process": template}))


async def test_a_changed_count_is_followed_under_load(
    world: World, load: StartLoad, machine: Machine
) -> None:
    template = machine.template()
    await world.start(health_check=JUDGED, instances={"count": 2, "process": template})
    await release(world, "v1")
    await release(world, "v2")
    running = await load(*world.entries(), rate=RATE)
    await apply_count(world, 3, template)
    for revision in (1, 2):
        await instances_when(world, up(3), revision)
    await scale(world, 1)
    for revision in (1, 2):
        await instances_when(world, up(1), revision)
    await apply_count(world, 3, template)  # it says nothing new: the last word was that of scale
    assert len(machine.running()) == 2
    await apply_count(world, 2, template)
    for revision in (1, 2):
        await instances_when(world, up(2), revision)
    await unharmed(running)


async def test_a_name_that_no_proxy_knows_is_named(world: World) -> None:
    await world.start(strategy={"ready_deadline": "6s"})
    request = pb.DeployRequest(origin=ORIGIN, service=SHOP, version="v1", endpoints=["nosuch.invalid:80"])
    await world.admin.Deploy(request)
    failed = await world.happens("failed")
    assert "does it know nosuch.invalid?" in failed.message


async def test_names_are_told_by_health_too(
    world: World, load: StartLoad, application: StartApplication, tmp_path: Path
) -> None:
    """Instances given by names stand in the cluster itself, which each proxy resolves."""
    well, sick = [await application("v1") for _ in range(2)]

    def write(health: str) -> None:
        draft = tmp_path / "draft"
        draft.write_text(
            yaml.safe_dump(
                [f"localhost:{well.port}", {"endpoint": f"localhost:{sick.port}", "health": health}]
            )
        )
        draft.replace(tmp_path / "blue.yaml")

    write(WELL)
    file = {"path": f"{tmp_path}/{{environment}}.yaml", "interval": "100ms"}
    await world.start(health_check=JUDGED, instances={"count": 2, "file": file})
    await release(world, "v1")
    running = await load(*world.entries(), rate=RATE)
    await reached(sick, await counted(sick))
    write(SICK)
    await world.when(lambda status: healthy_of(status, 1) == {1})
    before, others = await counted(sick), await counted(well)
    await reached(well, others + int(RATE))
    assert await counted(sick) == before
    write(WELL)
    await reached(sick, before)
    await unharmed(running)
