"""Processes as instances: as many as are wanted, each on its port, stopped when they may be."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from bluegreen.model.errors import InvalidInput, ProvisioningFailed, Refused
from bluegreen.model.pool import InstanceState, Pool
from bluegreen.model.provisioning import EndpointsFile, ProcessTemplate
from bluegreen.model.secret import Secret
from bluegreen.provisioners.process import state_directory
from bluegreen.provisioners.process.process_provisioner import MAXIMUM_INSTANCES, ProcessProvisioner
from tests.provisioners.process.world import (
    all_up,
    empty,
    none_left,
    pid_of,
    pool,
    processes,
    template,
    until,
    written,
)
from tests.support.exits import gone


async def test_as_many_as_are_wanted(provisioner: ProcessProvisioner, mark: str) -> None:
    wanted = pool(template(mark), 3)
    await provisioner.up(wanted)
    assert len(await provisioner.instances(wanted)) == 3  # at once: each has its name and port
    instances = await all_up(provisioner, wanted)
    assert len({each.id for each in instances}) == len({each.endpoint for each in instances}) == 3
    assert all(each.restarts == 0 and not each.note and each.since > 0 for each in instances)

    await provisioner.up(wanted)
    await provisioner.up(replace(wanted, capacity=2))
    assert await all_up(provisioner, wanted) == instances  # nothing more, and none stopped
    assert len(processes(mark)) == 3

    await provisioner.up(replace(wanted, capacity=4))
    assert [each.id for each in await all_up(provisioner, wanted)][:3] == [each.id for each in instances]


async def test_those_that_leave_are_stopped_and_no_others(provisioner: ProcessProvisioner, mark: str) -> None:
    wanted = pool(template(mark), 3)
    await provisioner.up(wanted)
    first, second, third = await all_up(provisioner, wanted)

    leaving = replace(wanted, capacity=2, leaving=(first.id, second.id))
    await provisioner.up(leaving)  # two beside those that leave: one more
    instances = await all_up(provisioner, wanted)
    assert [each.id for each in instances[:3]] == [first.id, second.id, third.id]
    assert len(instances) == 4

    await provisioner.stop(leaving)
    assert await provisioner.instances(wanted) == instances[2:]
    assert len(processes(mark)) == 2
    await provisioner.stop(leaving)  # again: nothing

    await provisioner.stop(empty(wanted))
    assert (await provisioner.instances(wanted), processes(mark), provisioner.pools) == ([], [], set())


async def test_pools_are_kept_apart(provisioner: ProcessProvisioner, mark: str) -> None:
    blue, green = pool(template(mark)), replace(pool(template(mark)), environment="green", revision=8)
    told: list[tuple[str, int]] = []
    provisioner.on_change(told.append)
    await provisioner.up(blue)
    await provisioner.up(green)
    await all_up(provisioner, blue)
    await all_up(provisioner, green)
    assert set(told) == provisioner.pools == {("shop", 7), ("shop", 8)}
    await provisioner.stop(empty(blue))
    assert (await provisioner.instances(green))[0].state is InstanceState.UP


async def test_what_a_process_is_told(provisioner: ProcessProvisioner, mark: str, tmp_path: Path) -> None:
    script = 'pwd; printf "<%s>" "$@"; echo; env; grep SigIgn /proc/self/status; cat; echo all; sleep 60; :'
    words = (
        "{service}",
        "{environment} {version}/{revision}",
        '{"a": "{instance}"}',
        "{port}{",
        "{port}",
        mark,
    )
    secrets = {"TOKEN": "hunter22", "PORT": "no", "PATH": "/usr/bin:/bin", "BLUEGREEN_INSTANCE": "no"}
    source = ProcessTemplate(
        ("/bin/sh", "-c", script, "sh", *words),
        environment={name: Secret(value) for name, value in secrets.items()},
        directory=str(tmp_path),
    )
    await provisioner.up(pool(source))
    (instance,) = await provisioner.instances(pool(source))
    text = await written(provisioner, source, instance.id, "all")
    port = instance.endpoint.port
    assert f'<shop><blue v7/7><{{"a": "{instance.id}"}}><{port}{{><{port}><{mark}>' in text
    lines = text.splitlines()
    assert lines[0] == str(tmp_path)
    assert set(lines) >= {
        f"PORT={port}",
        "BLUEGREEN_SERVICE=shop",
        "BLUEGREEN_VERSION=v7",
        "BLUEGREEN_REVISION=7",
        "BLUEGREEN_ENVIRONMENT=blue",
        f"BLUEGREEN_INSTANCE={instance.id}",
        "TOKEN=(secret)",
    }
    (ignored,) = (int(line.split()[1], 16) for line in lines if line.startswith("SigIgn"))
    assert ignored & 0x7FFF_FFFF == 0  # 32 and 33 are the C library's own
    assert "PYTEST" not in text
    assert "VIRTUAL_ENV" not in text
    assert os.getsid(pid_of(instance, mark)) == pid_of(instance, mark)


async def test_the_demo_application_finishes_what_is_in_flight(provisioner: ProcessProvisioner) -> None:
    words = ("--port", "{port}", "--version", "{version}", "--lame-duck", "0.1")
    source = ProcessTemplate((sys.executable, "-m", "bluegreen.app.demo.application", *words))
    await provisioner.up(pool(source))
    (instance,) = await all_up(provisioner, pool(source))
    async with aiohttp.ClientSession() as client, asyncio.TaskGroup() as tasks:
        async with client.get(f"http://{instance.endpoint}/slow?seconds=0.5") as response:
            assert response.headers["x-version"] == "v7"
        slow = tasks.create_task(client.get(f"http://{instance.endpoint}/slow?seconds=0.5"))
        await asyncio.sleep(0.1)  # let it be on its way
        await provisioner.stop(empty(pool(source)))
        assert (await slow).status == 200
    log = await provisioner.log(pool(source), instance.id, 10)
    assert "listening on" in log, "it is gone, its log is not"


async def test_one_that_ignores_sigterm_is_killed_after_the_grace(
    provisioner: ProcessProvisioner, mark: str
) -> None:
    source = replace(template(mark, "--stubborn"), grace=0.2)
    await provisioner.up(pool(source, 2))
    await all_up(provisioner, pool(source))
    began = asyncio.get_running_loop().time()
    await provisioner.stop(empty(pool(source)))
    assert asyncio.get_running_loop().time() - began >= 0.2
    assert processes(mark) == []


@pytest.mark.parametrize("kind", ["--child", "--daemon"])
async def test_what_it_leaves_behind_is_ended_with_it(
    provisioner: ProcessProvisioner, mark: str, kind: str
) -> None:
    source = template(mark, kind)
    await provisioner.up(pool(source))
    await all_up(provisioner, pool(source))
    assert len(processes(mark)) == 2
    await provisioner.stop(empty(pool(source)))
    await none_left(mark)


async def test_one_that_an_operator_ends_by_hand_comes_back_where_it_was(
    provisioner: ProcessProvisioner, mark: str
) -> None:
    wanted = pool(template(mark), 2)
    await provisioner.up(wanted)
    first, second = await all_up(provisioner, wanted)
    for number in (signal.SIGTERM, signal.SIGKILL):
        before = pid_of(first, mark)
        os.kill(before, number)
        await until(provisioner, wanted, lambda all_of: all_of[0].state is not InstanceState.UP)
        again, other = await all_up(provisioner, wanted)
        assert (again.id, again.endpoint, other) == (first.id, first.endpoint, second)
        assert pid_of(first, mark) != before
    assert again.restarts == 2


async def test_stopped_while_it_starts(provisioner: ProcessProvisioner, mark: str) -> None:
    wanted = pool(template(mark), 3)
    for turns in range(0, 40, 3):
        await provisioner.up(wanted)
        for _ in range(turns):
            await asyncio.sleep(0.001)
        await provisioner.stop(empty(wanted))
        assert (await provisioner.instances(wanted), processes(mark)) == ([], [])


async def test_reap_ends_all_that_there_are(directory: Path, mark: str) -> None:
    green = replace(pool(template(mark)), revision=8)
    async with ProcessProvisioner.open(directory) as provisioner:
        await provisioner.up(pool(template(mark), 2))
        await all_up(provisioner, pool(template(mark)))
        await provisioner.up(green)
        await all_up(provisioner, green)
    async with ProcessProvisioner.open(directory) as provisioner:
        assert provisioner.pools == {("shop", 7), ("shop", 8)}
        await provisioner.instances(green)
        await provisioner.reap()
        assert provisioner.pools == set()
    assert processes(mark) == []
    assert list((directory / "instances").iterdir()) == []


async def test_two_of_them_never_share_a_directory(
    provisioner: ProcessProvisioner, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_directory, "LOCK_PATIENCE", 0.1)
    with pytest.raises(Refused, match="looked after by another control plane"):
        async with ProcessProvisioner.open(directory):
            pass


async def test_a_directory_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match=r"cannot be kept in .*file/state: Not a directory"):
        async with ProcessProvisioner.open(tmp_path / "file" / "state"):
            pass


@pytest.mark.parametrize(
    ("source", "capacity", "message"),
    [
        (ProcessTemplate(()), 1, "No command is given"),
        (ProcessTemplate(("no-such-program",)), 1, "no program 'no-such-program'"),
        (ProcessTemplate(("/etc/passwd",)), 1, "no program '/etc/passwd'"),
        (ProcessTemplate(("/bin/true",), directory="/no/such"), 1, "no directory /no/such"),
        (ProcessTemplate(("/bin/true", "x" * 200_000)), 1, "longest part 200000"),
        (ProcessTemplate(("/bin/true", "x\0y")), 1, "NUL"),
        (ProcessTemplate(("/bin/true",), environment={"A": Secret("x" * 131_071)}), 1, "longest part"),
        (ProcessTemplate(("/bin/true",), host="192.0.2.1"), 1, "192.0.2.1 is no address of this machine"),
        (ProcessTemplate(("/bin/true",)), MAXIMUM_INSTANCES + 1, "1001 processes are too many"),
        (EndpointsFile("/x"), 1, "no local processes"),
    ],
)
async def test_what_cannot_be_is_said_at_once(
    provisioner: ProcessProvisioner, source: ProcessTemplate, capacity: int, message: str
) -> None:
    with pytest.raises(ProvisioningFailed, match=f"^shop, v7 on blue: .*{message}"):
        await provisioner.up(Pool("shop", "blue", 7, "v7", source, capacity))
    assert provisioner.pools == set()


async def test_processes_are_left_alone_by_the_end_of_the_provisioner(directory: Path, mark: str) -> None:
    wanted = pool(template(mark), 2)
    async with ProcessProvisioner.open(directory) as provisioner:
        await provisioner.up(wanted)
        before = await all_up(provisioner, wanted)
    running = processes(mark)
    assert len(running) == 2
    killed = pid_of(before[0], mark)
    os.kill(killed, signal.SIGKILL)
    await gone(killed)
    async with ProcessProvisioner.open(directory) as provisioner:
        await provisioner.up(wanted)
        after = await all_up(provisioner, wanted)
        assert [each.endpoint for each in after] == [each.endpoint for each in before]
        assert [each.restarts for each in after] == [1, 0]
        assert len(set(processes(mark)) & set(running)) == 1
        await provisioner.stop(empty(wanted))
    for pid in running:
        await gone(pid)


async def test_what_serves_is_never_told_of_as_anything_else_after_a_restart(
    directory: Path, mark: str
) -> None:
    wanted = pool(template(mark), 3)
    async with ProcessProvisioner.open(directory) as provisioner:
        await provisioner.up(wanted)
        before = await all_up(provisioner, wanted)
    async with ProcessProvisioner.open(directory) as provisioner:
        await provisioner.up(wanted)
        first = await provisioner.instances(wanted)
        assert [(each.id, each.state) for each in first] == [(each.id, each.state) for each in before]
        await provisioner.reap()


async def test_what_was_being_stopped_goes_on_being_stopped(directory: Path, mark: str) -> None:
    wanted = pool(template(mark, "--stubborn"))
    async with ProcessProvisioner.open(directory) as provisioner:
        await provisioner.up(wanted)
        await all_up(provisioner, wanted)
        stopping = asyncio.ensure_future(provisioner.stop(empty(wanted)))
        (record,) = (directory / "instances").glob("*.json")
        async with asyncio.timeout(10):
            while '"leaving": true' not in record.read_text():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        stopping.cancel()
        await asyncio.wait((stopping,))
    (stubborn,) = processes(mark)
    async with ProcessProvisioner.open(directory) as provisioner:
        soon = replace(wanted, source=replace(template(mark, "--stubborn"), grace=0.1))
        await provisioner.instances(soon)
        await until(provisioner, soon, lambda all_of: not all_of)
    await gone(stubborn)
    assert processes(mark) == []


async def test_one_that_is_being_stopped_is_replaced(provisioner: ProcessProvisioner, mark: str) -> None:
    wanted = pool(replace(template(mark, "--stubborn"), grace=60.0))
    await provisioner.up(wanted)
    (first,) = await all_up(provisioner, wanted)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(provisioner.stop(replace(wanted, leaving=(first.id,))))
        await until(provisioner, wanted, lambda all_of: all_of[0].state is InstanceState.STOPPING)
        await provisioner.up(wanted)
        await until(provisioner, wanted, lambda all_of: all_of[-1].state is InstanceState.UP)
        os.kill(pid_of(first, mark), signal.SIGKILL)
    (second,) = await provisioner.instances(wanted)
    assert second.id != first.id
    os.kill(pid_of(second, mark), signal.SIGKILL)
    await provisioner.stop(empty(wanted))


async def test_another_version_under_the_same_revision_is_not_taken_up(
    directory: Path, mark: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As where the database was lost, or an older one restored, and the processes run on."""
    old = pool(template(mark))
    async with ProcessProvisioner.open(directory) as provisioner:
        await provisioner.up(old)
        (before,) = await all_up(provisioner, old)
    for other in (replace(old, version="v8"), replace(old, environment="green")):
        async with ProcessProvisioner.open(directory) as provisioner:
            await provisioner.up(other)
            (instance,) = await all_up(provisioner, other)
            assert instance.id != before.id
            assert f"instance {before.id} (process {pid_of(before, mark)}) is v7 on blue" in caplog.text
            await provisioner.stop(empty(other))
    async with ProcessProvisioner.open(directory) as provisioner:
        await provisioner.up(other)
        await provisioner.reap()
    assert processes(mark) == []
