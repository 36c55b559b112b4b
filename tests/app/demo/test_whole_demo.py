"""The whole demo, as `make demo` runs it."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bluegreen.app.demo.processes import ChildProcess, ChildProcesses, Command
from tests.support.exits import gone


async def start_demo(
    children: ChildProcesses, directory: Path, on_line: Callable[[str], None]
) -> ChildProcess:
    arguments = (sys.executable, "-m", "bluegreen", "demo", "--plain", f"--directory={directory}")
    return await children.start(Command("demo", arguments, on_line=on_line))


def instances_of(demo: ChildProcess) -> list[int]:
    """The processes that the control plane of this demo has started."""
    own = f"--demo={demo.pid}".encode()
    return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/cmdline") if own in _words(path)]


def postgres_of(lines: list[str]) -> list[int]:
    """The processes of the PostgreSQL of this demo, whose directory is in the service file that it shows."""
    (directory,) = {found[1] for line in lines if (found := re.search(r"host=(/\S+?)\"", line))}
    own = directory.encode()
    paths = Path("/proc").glob("[0-9]*/cmdline")
    return [int(path.parent.name) for path in paths if any(own in word for word in _words(path))]


def _words(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().split(b"\0")
    except OSError:  # it has ended meanwhile
        return []


@pytest.mark.slow
async def test_it_keeps_what_it_promises(children: ChildProcesses, tmp_path: Path) -> None:
    lines: list[str] = []
    demo = await start_demo(children, tmp_path / "demo", lines.append)
    assert await demo.exited() == 0, "\n".join([*lines, demo.last_lines()])
    text = "\n".join(lines)
    for bad in ("v3 has failed: 1 of 3 tests failed: smoke", "v4 is turned back", "v5 is turned back"):
        assert bad in text
    assert "v3 has counted 0 requests of production" in text
    for refused in (
        "the expand of v6: 0002",
        "v7 gets no traffic",
        "no contract while v2",
        "no rollback after",
    ):
        assert f"Refused, {refused}" in text
    assert "The way back to v2 ends with the contract of 0002_split_name." in text
    assert "rows have both halves of the same name" in text
    assert (tmp_path / "demo" / "services.yaml").read_text() in text
    assert not instances_of(demo)
    assert not postgres_of(lines)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("way_out", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -signal.SIGKILL)]
)
async def test_nothing_is_left_of_it(
    children: ChildProcesses, tmp_path: Path, way_out: signal.Signals, status: int
) -> None:
    is_up = asyncio.Event()
    lines: list[str] = []

    def take(line: str) -> None:
        lines.append(line)
        if "v2 is up" in line:
            is_up.set()

    demo = await start_demo(children, tmp_path / "demo", take)
    await demo.expect(is_up.wait(), 60)
    instances = instances_of(demo)
    assert len(instances) == 4, "two of v1 and two of v2"
    postgres = postgres_of(lines)
    assert postgres
    demo.send(way_out)
    assert await demo.exited() == status
    for each in (*instances, *postgres):
        await gone(each)
    assert not instances_of(demo)


async def test_a_directory_of_another_run_is_refused(children: ChildProcesses, tmp_path: Path) -> None:
    (tmp_path / "bluegreen.db").touch()
    demo = await start_demo(children, tmp_path, print)
    assert await demo.exited() == 5
    assert "the database of another run. Name another directory." in demo.last_lines()
