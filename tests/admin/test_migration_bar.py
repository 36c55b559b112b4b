"""The bar of a backfill, on a real terminal."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from bluegreen.model.migration import MigrationProgress, Phase
from bluegreen.model.verdict import Verdict
from tests.admin.conftest import LONG, AdminServer
from tests.admin.puppet_operations import PuppetOperations
from tests.admin.test_servicer_migrations import CONTRACT, shop

__all__ = ["shop"]

FILE = "0002_split_name.backfill.sql"


@dataclass
class Terminal:
    """What a command has written to it, control sequences and all."""

    process: asyncio.subprocess.Process
    written: str = ""
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    def read(self, master: int) -> None:
        try:
            self.written += os.read(master, 65536).decode(errors="replace")
        except OSError:  # on Linux: the command has ended
            asyncio.get_running_loop().remove_reader(master)
        self._more.set()

    async def shows(self, words: str) -> None:
        async with asyncio.timeout(LONG):
            while words not in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.written):
                self._more.clear()
                await self._more.wait()


@pytest.fixture
async def terminal(shop: PuppetOperations, server: AdminServer) -> AsyncIterator[Terminal]:
    """`bluegreen migrations backfill shop`, its standard error on a terminal."""
    master, slave = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bluegreen", "migrations", "backfill", "shop"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=slave,
        env={**os.environ, "BLUEGREEN_ADMIN": server.address, "TERM": "xterm", "COLUMNS": "120"},
    )
    os.close(slave)
    opened = Terminal(process)
    asyncio.get_running_loop().add_reader(master, opened.read, master)
    yield opened
    asyncio.get_running_loop().remove_reader(master)
    os.close(master)
    if process.returncode is None:
        process.kill()
        await process.communicate()


async def test_a_bar_shows_rows_rate_and_time_left(shop: PuppetOperations, terminal: Terminal) -> None:
    await terminal.shows("The backfill of v2 begins.")
    shop.go_on(MigrationProgress(FILE, 250_000, 1_000_000, 20_000.0))
    await terminal.shows("25% 250,000/1,000,000 rows  20,000/s  38s left")
    shop.go_on(MigrationProgress(FILE, 500_000, 1_000_000, 20_000.0, note="waits for a lock on people"))
    await terminal.shows(f"{FILE}: waits for a lock on people\r\n")
    await terminal.shows("50% 500,000/1,000,000 rows  20,000/s  25s left")
    (run,) = shop.shop.migration_runs
    shop.end_run(run, Verdict.PASS, "1 file is applied", contracts_left=(CONTRACT,))
    assert terminal.process.stdout is not None
    async with asyncio.timeout(LONG):
        said = await terminal.process.stdout.read()
        assert await terminal.process.wait() == 0
    assert said == b"1 file is applied. Next: bluegreen promote shop\n"
    assert run.phase is Phase.BACKFILL
