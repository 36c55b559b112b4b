"""What was acknowledged outlives SIGKILL, and nothing is half."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from bluegreen.model.errors import Refused
from bluegreen.model.event import What
from deployment_store import SqliteStore
from tests.deployment_store.samples import add_catalogue, raw


@asynccontextmanager
async def writer(path: Path) -> AsyncIterator[tuple[Process, asyncio.StreamReader]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.deployment_store.writer", str(path), stdout=PIPE
    )
    assert process.stdout is not None
    try:
        yield process, process.stdout
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def acknowledged_before_kill(path: Path, moment: Random) -> int:
    """The last revision that a writer was told to be stored, before it was killed at a random moment."""
    async with writer(path) as (process, output):
        for _ in range(moment.randrange(1, 60)):
            line = await output.readline()
        await asyncio.wait((asyncio.ensure_future(process.wait()),), timeout=moment.uniform(0, 0.003))
        process.kill()
        # A last line may be cut short by the kill; it counts only with its end.
        lines = [line, *(await output.read()).splitlines(keepends=True)]
    return int([each for each in lines if each.endswith(b"\n")][-1])


async def test_what_was_acknowledged_is_there(path: Path) -> None:
    async with SqliteStore.open(path) as store:
        await add_catalogue(store)
    moment = Random(7)
    for _ in range(6):
        acknowledged = await acknowledged_before_kill(path, moment)
        async with SqliteStore.open(path) as store:
            stored = await store.load("shop")
            events = await store.events("shop", limit=1_000_000)
        assert stored.revision in (acknowledged, acknowledged + 1)
        assert stored.traffic.cutover_percent == stored.revision % 101
        assert [each.what for each in events] == [What.WEIGHT_SET, What.WEIGHT_ACKNOWLEDGED] * stored.revision
        assert events[-2].after == str(stored.revision)
        with raw(path) as shell:
            assert shell.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def test_a_second_process_is_refused_until_the_first_is_gone(path: Path) -> None:
    async with SqliteStore.open(path) as store:
        await add_catalogue(store)
    async with writer(path) as (process, output):
        await output.readline()
        with pytest.raises(Refused, match=f"bluegreen.db is in use .*process {process.pid}.* Stop that one"):
            async with SqliteStore.open(path):
                pass
        process.kill()
        await process.wait()
        async with SqliteStore.open(path) as store:
            assert (await store.load("shop")).revision > 0
