"""A control plane that is killed with SIGKILL, wherever: the next one neither doubles nor loses a process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from bluegreen.model.pool import InstanceState, Pool
from bluegreen.provisioners.process.process_provisioner import ProcessProvisioner
from tests.provisioners.process.world import (
    empty,
    none_left,
    pid_of,
    pool,
    settled,
    template,
    until,
)

MOST_STEPS = 200


class Planes:
    """Control planes of which each is killed before the next."""

    def __init__(self, orders: asyncio.StreamWriter, outcomes: asyncio.StreamReader) -> None:
        self._orders, self._outcomes = orders, outcomes

    @classmethod
    @asynccontextmanager
    async def open(cls, directory: Path) -> AsyncIterator[Planes]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.provisioners.process.plane", str(directory)),
            stdin=PIPE,
            stdout=PIPE,
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield cls(process.stdin, process.stdout)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    async def run(self, name: str, when: float, mark: str) -> str:
        """What became of one."""
        self._orders.write(f"{name} {when} {mark}\n".encode())
        async with asyncio.timeout(30):
            return (await self._outcomes.readline()).decode().strip()


async def is_as_wanted(directory: Path, wanted: Pool, mark: str) -> None:
    """The next control plane keeps what it finds and does not leave, adds what is missing, and no more."""
    records = [json.loads(each.read_text()) for each in (directory / "instances").glob("*.json")]
    staying = {each["id"] for each in records if not each["leaving"]}
    async with ProcessProvisioner.open(directory) as provisioner:
        await provisioner.up(wanted)
        instances = await until(
            provisioner,
            wanted,
            lambda all_of: all(each.state is InstanceState.UP for each in all_of) and len(all_of) >= 2,
        )
        assert len(instances) == max(wanted.capacity, len(staying))
        assert staying <= {each.id for each in instances}
        assert sorted(pid_of(each, mark) for each in instances) == sorted(await settled(mark))
        await provisioner.stop(empty(wanted))
    await none_left(mark)
    assert list((directory / "instances").iterdir()) == []


async def test_killed_before_every_single_step(tmp_path: Path, mark: str) -> None:
    wanted = pool(template(mark), 2)
    outcomes = []
    async with Planes.open(tmp_path) as planes:
        for step in range(1, MOST_STEPS):
            outcomes.append(await planes.run(str(step), step, mark))
            await is_as_wanted(tmp_path / str(step), wanted, mark)
            if outcomes[-1] != "killed":
                break
    assert outcomes[-1] == "done"
    assert len(outcomes) > 30


async def test_killed_at_any_moment_again_and_again(tmp_path: Path, mark: str) -> None:
    wanted = pool(template(mark), 2)
    moment = Random(7)
    async with Planes.open(tmp_path) as planes:
        for turn in range(40):
            outcome = await planes.run("same", moment.uniform(0, 0.5), mark)
            assert outcome in ("killed", "done")
            if turn % 10 == 9:  # now and then; all others find what several have left
                await is_as_wanted(tmp_path / "same", wanted, mark)
