"""A real PostgreSQL for the demo and the tests: there in no time, and gone on every way out."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from pathlib import Path

import psycopg
import pytest

from bluegreen.app.demo.postgres import PostgresFailed, PostgresServer, find_programs, postgres_server
from bluegreen.app.demo.processes import ChildProcesses, Command
from tests.support.exits import gone

OWNER = """
import sys, time
from bluegreen.app.demo.postgres import postgres_server
with postgres_server() as server:
    print(server.pid, server.directory, flush=True)
    time.sleep(60)
"""


def one(server: PostgresServer, query: str) -> object:
    with psycopg.connect(server.url()) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


async def test_it_is_there_for_us_alone_and_gone_afterwards(tmp_path: Path) -> None:
    with postgres_server(tmp_path / "postgres.log") as server:
        assert one(server, "SELECT current_user") == "postgres"
        assert one(server, "SHOW listen_addresses") == ""
        assert one(server, "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method <> 'trust'") == 0
        assert stat.S_IMODE(server.directory.stat().st_mode) == 0o700
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0
        left_open = psycopg.connect(server.url())
    await gone(server.pid)
    assert not server.directory.exists()
    assert "ready to accept connections" in (tmp_path / "postgres.log").read_text()
    with pytest.raises(psycopg.OperationalError):
        left_open.execute("SELECT 1")
    left_open.close()


@pytest.mark.parametrize("way_out", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_it_does_not_outlive_its_owner(children: ChildProcesses, way_out: signal.Signals) -> None:
    line: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    owner = await children.start(Command("owner", (sys.executable, "-c", OWNER), on_line=line.set_result))

    async def said() -> str:
        return await line

    pid, directory = (await owner.expect(said(), 30)).split()
    owner.send(way_out)
    await owner.exited()
    await gone(int(pid))
    with postgres_server() as another:  # removes what only SIGINT left its owner time to remove
        assert not Path(directory).exists()
        with postgres_server():
            assert another.directory.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
async def test_programs_that_root_alone_may_read_are_copied(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    *_, packages = find_programs().parents[:3]
    (closed / "packages").symlink_to(packages)
    programs = closed / "packages" / find_programs().relative_to(packages)
    with postgres_server(programs=programs) as server:
        assert one(server, "SELECT 1") == 1
        assert Path(f"/proc/{server.pid}/exe").readlink().is_relative_to(server.directory)


def test_one_that_cannot_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("initdb", "postgres"):
        program = programs / name
        program.write_text("#!/bin/sh\necho no such locale\nexit 3\n")
        program.chmod(0o755)
    with (
        pytest.raises(PostgresFailed, match=r"initdb ended with status 3[^\n]*\nno such locale"),
        postgres_server(programs=programs),
    ):
        pass
