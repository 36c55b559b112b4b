"""The instances of the demo: run by the control plane's provisioner, reaped by the demo, gone with it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from bluegreen.app.demo.application import COUNTED, LISTENING
from bluegreen.app.demo.faults import FAULT_HEADER
from bluegreen.app.demo.instances import Instances
from bluegreen.app.demo.ports import free_port
from bluegreen.app.demo.processes import ChildProcess, ChildProcesses, Command
from bluegreen.app.demo.service_watch import DemoFailed
from bluegreen.model.environment import Environment
from bluegreen.model.pool import Instance, InstanceState, Pool
from bluegreen.model.provisioning import ProcessTemplate
from bluegreen.provisioners.process.process_provisioner import ProcessProvisioner
from tests.support.exits import gone, is_running

SHOP = (sys.executable, "-m", "bluegreen.app.demo.shop")


@pytest.fixture
def instances(tmp_path: Path) -> Instances:
    return Instances.of(tmp_path / "bluegreen.db")


def pool(version: str, revision: int) -> Pool:
    command = (*SHOP, "--version={version}", "--port={port}", f"--demo={os.getpid()}")
    return Pool("shop", Environment.BLUE, revision, version, ProcessTemplate(command), 2, ())


async def up(provisioner: ProcessProvisioner, wanted: Pool) -> list[Instance]:
    """Have its instances; once all are up."""
    changed = asyncio.Event()
    provisioner.on_change(lambda _: changed.set())
    await provisioner.up(wanted)
    async with asyncio.timeout(30):
        while True:
            changed.clear()
            found = list(await provisioner.instances(wanted))
            if len(found) == wanted.capacity and all(each.state is InstanceState.UP for each in found):
                return found
            await changed.wait()


async def process_of(session: aiohttp.ClientSession, instance: Instance) -> int:
    async with session.get(f"http://{instance.endpoint}/", headers={"Host": "production"}) as answer:
        number: int = (await answer.json())["process"]
        return number


async def test_what_the_control_plane_has_left_is_reaped_and_has_counted(instances: Instances) -> None:
    processes: list[int] = []

    async def demo() -> None:
        async with aiohttp.ClientSession() as session, instances.reaped():
            async with ProcessProvisioner.open(instances.directory) as provisioner:
                left = await up(provisioner, pool("v1", 1))
            processes.extend([await process_of(session, each) for each in left])
            assert all(map(is_running, processes)), "they outlive the provisioner"
            raise RuntimeError("the demo failed")

    with pytest.raises(RuntimeError, match="the demo failed"):
        await demo()
    for each in processes:
        await gone(each)
    assert instances.counted("shop", 1) == {"production": 2}


async def test_one_that_was_killed_is_told(instances: Instances) -> None:
    async with aiohttp.ClientSession() as session, instances.reaped():
        async with ProcessProvisioner.open(instances.directory) as provisioner:
            victim, _ = await up(provisioner, pool("v1", 3))
            number = await process_of(session, victim)
        os.kill(number, signal.SIGKILL)
        await gone(number)
    with pytest.raises(DemoFailed, match=rf"did not stop well.*shop-3-{victim.id}\.log"):
        instances.counted("shop", 3)
    with pytest.raises(DemoFailed, match="no process of revision 1"):
        instances.counted("shop", 1)


async def test_where_nothing_was_started_nothing_is_reaped(instances: Instances) -> None:
    async with instances.reaped():
        pass
    assert not instances.directory.exists()


async def shop(children: ChildProcesses, version: str, demo: int) -> tuple[ChildProcess, str, list[str]]:
    """One that listens, where, and what it prints."""
    lines: list[str] = []
    listens = asyncio.Event()

    def take(line: str) -> None:
        lines.append(line)
        listens.set()

    port = free_port()
    arguments = (*SHOP, f"--version={version}", f"--port={port}", f"--demo={demo}")
    child = await children.start(Command(f"shop-{version}", arguments, on_line=take))
    await child.expect(listens.wait(), 20)
    return child, f"http://127.0.0.1:{port}", lines


async def test_it_ends_with_the_demo_however_that_ends(children: ChildProcesses) -> None:
    demo = await children.start(Command("demo", ("sleep", "60")))
    child, _, lines = await shop(children, "v1", demo.pid)
    demo.send(signal.SIGKILL)
    assert await child.exited() == 1
    assert not any(line.startswith(COUNTED) for line in lines)


async def test_it_does_not_start_without_the_demo(children: ChildProcesses) -> None:
    demo = await children.start(Command("demo", ("true",)))
    await demo.exited()
    arguments = (*SHOP, "--version=v1", f"--port={free_port()}", f"--demo={demo.pid}")
    child = await children.start(Command("shop", arguments))
    assert await child.exited() == 1
    assert "the demo is gone" in child.last_lines()


async def test_the_version_says_what_is_wrong_with_it(children: ChildProcesses) -> None:
    child, url, lines = await shop(children, "v3", os.getpid())
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/smoke", headers={"Host": "preview"}) as answer:
            assert (answer.status, answer.headers.get(FAULT_HEADER)) == (500, None)
        async with session.get(url, headers={"Host": "production"}) as answer:
            assert (answer.status, answer.headers["x-version"]) == (200, "v3")
    assert await child.stop() == 0
    assert lines == [f"{LISTENING}{url}", f'{COUNTED}{{"preview": 1, "production": 1}}']
