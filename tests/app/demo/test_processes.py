"""Children end when they should, tell why they failed, and never outlive their parent."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bluegreen.app.demo import lifeline
from bluegreen.app.demo.processes import ChildFailed, ChildProcess, ChildProcesses, Command
from tests.support.exits import gone, is_running

SLEEPER = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + SLEEPER

# A parent of the kind the demo is: one asyncio program with a child; prints the child's id.
PARENT = f"""
import asyncio, sys
from pathlib import Path
from bluegreen.app.demo.processes import ChildProcesses, Command

async def main():
    up = asyncio.Event()
    async with ChildProcesses(Path(sys.argv[1]), grace=0.2) as children:
        command = Command("child", (sys.executable, "-c", {STUBBORN!r}), on_line=lambda _: up.set())
        child = await children.start(command)
        await up.wait()
        print(child.pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


async def up(children: ChildProcesses, name: str, code: str) -> ChildProcess:
    """Start Python code and wait for its first line."""
    first = asyncio.Event()
    child = await children.start(Command(name, python(code), on_line=lambda _: first.set()))
    await child.expect(first.wait(), 10)
    return child


async def test_sigterm_ends_a_child(children: ChildProcesses) -> None:
    child = await up(children, "sleeper", SLEEPER)
    assert child.returncode is None
    assert await child.stop(grace=5) == -signal.SIGTERM
    assert not is_running(child.pid)


async def test_sigkill_ends_a_child_that_ignores_sigterm(children: ChildProcesses) -> None:
    child = await up(children, "stubborn", STUBBORN)
    assert await child.stop(grace=0.1) == -signal.SIGKILL


async def test_stopping_twice_and_an_ended_child_is_harmless(children: ChildProcesses) -> None:
    child = await children.start(Command("brief", python("raise SystemExit(3)")))
    assert await child.exited() == 3
    assert await child.stop() == 3
    assert await child.stop() == 3


async def test_leaving_by_an_exception_stops_all(run_directory: Path) -> None:
    started: list[ChildProcess] = []

    async def demo() -> None:
        async with ChildProcesses(run_directory, grace=0.2) as children:
            started.append(await up(children, "one", SLEEPER))
            started.append(await up(children, "two", STUBBORN))
            raise RuntimeError("the demo failed")

    with pytest.raises(RuntimeError, match="the demo failed"):
        await demo()
    assert [child.returncode for child in started] == [-signal.SIGTERM, -signal.SIGKILL]


async def test_interrupted_while_stopping_kills(run_directory: Path) -> None:
    children = ChildProcesses(run_directory, grace=60)
    child = await up(children, "stubborn", STUBBORN)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await children.stop()
    assert child.returncode == -signal.SIGKILL


@pytest.mark.parametrize("way_out", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_no_child_outlives_a_parent_that_is_signalled(
    children: ChildProcesses, run_directory: Path, way_out: signal.Signals
) -> None:
    pids: list[int] = []
    seen = asyncio.Event()

    def take(line: str) -> None:
        pids.append(int(line))
        seen.set()

    command = Command("parent", (*python(PARENT), str(run_directory / "inner")), on_line=take)
    parent = await children.start(command)
    await parent.expect(seen.wait(), 10)
    assert is_running(pids[0])
    parent.send(way_out)
    await parent.exited()
    await gone(pids[0])


def test_a_child_whose_parent_died_first_does_not_start() -> None:
    not_our_pid = "1"
    command = (sys.executable, lifeline.__file__, not_our_pid, "echo", "started")
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 1
    assert finished.stdout == ""
    assert "the parent process is gone" in finished.stderr


async def test_a_failed_child_shows_its_last_lines(children: ChildProcesses, run_directory: Path) -> None:
    child = await children.start(Command("broken", python("raise SystemExit('no such configuration')")))
    with pytest.raises(
        ChildFailed, match=r"broken ended with status 1.*\n.*no such configuration"
    ) as failure:
        await child.expect(asyncio.Event().wait(), 10)
    assert str(run_directory / "broken.log") in str(failure.value)


async def test_a_child_that_is_not_ready_in_time_is_told(children: ChildProcesses) -> None:
    child = await up(children, "slow", SLEEPER)
    with pytest.raises(ChildFailed, match=r"slow was not ready within 0\.05 s"):
        await child.expect(asyncio.Event().wait(), 0.05)


async def test_an_unknown_command_is_told(children: ChildProcesses) -> None:
    child = await children.start(Command("unknown", ("no-such-program",)))
    with pytest.raises(ChildFailed, match="no-such-program: No such file"):
        await child.expect(asyncio.Event().wait(), 10)


async def test_lines_arrive_whole_and_all_of_them(children: ChildProcesses) -> None:
    lines: list[str] = []
    code = "import os; [os.write(1, piece) for piece in (b'a', b'b\\nc', b'd\\n', b'x' * 100_000 + b'\\n')]"
    child = await children.start(Command("talker", python(code), on_line=lines.append))
    await child.exited()
    assert lines == ["ab", "cd", "x" * 100_000]
