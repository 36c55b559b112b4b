"""Ends of processes that are hard to see: without a free descriptor, of what was not our child, very many."""

from __future__ import annotations

import asyncio
import os
import resource
import select
import signal
import subprocess
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from bluegreen.model.pool import Instance, InstanceState
from bluegreen.provisioners.process import keeper, remains
from bluegreen.provisioners.process.identity import Identity
from bluegreen.provisioners.process.process_provisioner import ProcessProvisioner
from bluegreen.provisioners.process.remains import Remains
from bluegreen.provisioners.process.running_process import RunningProcess
from tests.provisioners.process.world import all_up, pid_of, pool, processes, template, until


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """Those that are open stay so."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_an_end_is_noticed_without_a_free_descriptor(
    provisioner: ProcessProvisioner, mark: str, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = pool(template(mark))
    await provisioner.up(wanted)
    (instance,) = await all_up(provisioner, wanted)
    pid = pid_of(instance, mark)
    with no_descriptor_left():
        os.kill(pid, signal.SIGKILL)
        (instance,) = await until(provisioner, wanted, _has_ended)
    assert "was ended by SIGKILL" in instance.note
    assert "cannot be looked for" in caplog.text
    await all_up(provisioner, wanted)


def _has_ended(all_of: Sequence[Instance]) -> bool:
    return all_of[0].state is InstanceState.WAITING


async def test_what_was_found_is_taken_up_once_there_is_a_free_descriptor(
    directory: Path, mark: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "ADOPT_AGAIN", 0.01)
    wanted = pool(template(mark))
    async with ProcessProvisioner.open(directory) as provisioner:
        await provisioner.up(wanted)
        await all_up(provisioner, wanted)
    before = processes(mark)
    async with ProcessProvisioner.open(directory) as provisioner:
        with no_descriptor_left():
            await provisioner.up(wanted)
            async with asyncio.timeout(5):
                while "cannot be taken up yet" not in caplog.text:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        (instance,) = await all_up(provisioner, wanted)
        assert (instance.restarts, processes(mark)) == (0, before)
        await provisioner.reap()


async def test_a_group_is_not_killed_by_a_number_that_may_be_another_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever has taken over a process that was not its child is not told before its number is free again."""
    pid = _start_what_is_not_our_child()
    identity = Identity.of(pid)
    assert identity is not None
    adopted = RunningProcess.adopt(identity, lambda: None)
    assert adopted is not None
    killed: list[int] = []
    monkeypatch.setattr(os, "killpg", lambda group, _: killed.append(group))
    os.kill(pid, signal.SIGKILL)
    _wait_for_the_end_of(pid)
    adopted.kill()
    assert killed == []
    adopted.let_go()


def _start_what_is_not_our_child() -> int:
    script = "setsid sleep 60 > /dev/null 2>&1 & echo $!"
    return int(subprocess.run(("/bin/sh", "-c", script), capture_output=True, check=True).stdout)


def _wait_for_the_end_of(pid: int) -> None:
    """Without the event loop, which would tell of it."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    assert poll.poll(10_000)
    os.close(pidfd)


async def test_what_many_leave_behind_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Collection[str]] = []

    def look(instances: Collection[str]) -> None:
        looks.append(instances)
        kill_bearers(instances)

    kill_bearers = remains.kill_bearers
    monkeypatch.setattr(remains, "kill_bearers", look)
    cleared = Remains()
    names = [f"{number:08x}" for number in range(1000)]
    await asyncio.gather(*map(cleared.clear, names))
    assert len(looks) <= 2
    assert sorted(name for each in looks for name in each) == names
