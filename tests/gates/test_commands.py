"""Commands as tests, hooks and sources: real processes, also such as do not want to end."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from pathlib import Path

import pytest

from bluegreen.gates import repetition
from bluegreen.gates.outside_checker import OutsideChecker
from bluegreen.model.acceptance_test import CommandTest
from bluegreen.model.analysis import CommandSource
from bluegreen.model.checker import Target
from bluegreen.model.hook import Hook, Moment
from bluegreen.model.verdict import MAXIMUM_OUTPUT, Finding, Verdict
from bluegreen.subprocesses import command as command_module
from tests.support.exits import gone, is_running

TARGET = Target(
    "shop",
    "v2",
    7,
    "green",
    "key-7",
    domain="shop.example",
    url="http://127.0.0.1:1",
    urls=("http://127.0.0.1:1", "http://127.0.0.1:2"),
    rollout=3,
    percent=25,
)


def shell(script: str, *, timeout: float = 10.0, retries: int = 0) -> CommandTest:
    return CommandTest("smoke", ("/bin/sh", "-c", script), retries, timeout)


def python(program: str, *, timeout: float = 10.0) -> CommandTest:
    return CommandTest("smoke", (sys.executable, "-I", "-S", "-c", program), timeout=timeout)


async def written(path: Path) -> str:
    """What a command writes there with its newline, once it has."""
    async with asyncio.timeout(5):
        while not (path.exists() and (text := path.read_text()).endswith("\n")):  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.01)
    return text.strip()


async def test_its_exit_status_counts(checker: OutsideChecker) -> None:
    finding = await checker.test(shell("echo to out; echo to err >&2"), TARGET)
    assert (finding.verdict, finding.summary) == (Verdict.PASS, "exit status 0")
    assert finding.output == "to out\nto err\n"
    assert 0 < finding.seconds < 5

    finding = await checker.test(shell("echo no; exit 3"), TARGET)
    assert (finding.verdict, finding.summary, finding.output) == (Verdict.FAIL, "exit status 3", "no\n")

    finding = await checker.test(shell("kill -SEGV $$"), TARGET)
    assert (finding.verdict, finding.summary) == (Verdict.FAIL, "ended by SIGSEGV")


async def test_of_a_source_1_is_no_and_more_is_an_error(checker: OutsideChecker) -> None:
    async def measured(script: str, timeout: float = 10.0) -> tuple[Verdict, str]:
        source = CommandSource("load", ("/bin/sh", "-c", script), timeout=timeout)
        finding = await checker.measure(source, TARGET)
        return finding.verdict, finding.summary

    assert await measured("exit 0") == (Verdict.PASS, "exit status 0")
    assert await measured("exit 1") == (Verdict.FAIL, "exit status 1")
    neither = "which says neither yes nor no"
    assert await measured("exit 2") == (Verdict.ERROR, f"exit status 2, {neither}")
    assert await measured("kill -9 $$") == (Verdict.ERROR, f"ended by SIGKILL, {neither}")
    assert await measured("sleep 60", 0.1) == (
        Verdict.ERROR,
        f"not done within 0.1 s, and stopped, {neither}",
    )


async def test_as_a_hook(checker: OutsideChecker) -> None:
    def hook(*command: str) -> Hook:
        return Hook("tell", Moment.BEFORE_SHIFT, command=command)

    assert (await checker.run_hook(hook("true"), TARGET)).verdict is Verdict.PASS
    assert (await checker.run_hook(hook("false"), TARGET)).verdict is Verdict.FAIL
    assert (await checker.run_hook(hook(), TARGET)).verdict is Verdict.ERROR


async def test_its_environment_is_what_it_is_told_and_little_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLUEGREEN_DATABASE", "/var/lib/bluegreen.db")
    monkeypatch.setenv("CLOUD_TOKEN", "hunter2")
    monkeypatch.setenv("LC_TIME", "C")
    async with OutsideChecker.open() as checker:
        finding = await checker.test(CommandTest("smoke", ("env",)), TARGET)

    environment = dict(line.split("=", 1) for line in finding.output.splitlines())
    told = {name: value for name, value in environment.items() if name.startswith("BLUEGREEN_")}
    assert told == {
        "BLUEGREEN_SERVICE": "shop",
        "BLUEGREEN_VERSION": "v2",
        "BLUEGREEN_REVISION": "7",
        "BLUEGREEN_ENVIRONMENT": "green",
        "BLUEGREEN_KEY": "key-7",
        "BLUEGREEN_DOMAIN": "shop.example",
        "BLUEGREEN_URL": "http://127.0.0.1:1",
        "BLUEGREEN_URLS": "http://127.0.0.1:1 http://127.0.0.1:2",
        "BLUEGREEN_PREVIEW_URL": "http://127.0.0.1:1",
        "BLUEGREEN_MOMENT": "",
        "BLUEGREEN_ROLLOUT": "3",
        "BLUEGREEN_PERCENT": "25",
        "BLUEGREEN_REASON": "",
    }
    assert environment["PATH"] == os.environ["PATH"]
    assert environment["LC_TIME"] == "C"
    assert "hunter2" not in finding.output


async def test_no_shell_no_input_no_terminal_no_descriptors(checker: OutsideChecker) -> None:
    assert (await checker.test(CommandTest("smoke", ("echo", "$HOME;", "*")), TARGET)).output == "$HOME; *\n"
    assert (await checker.test(CommandTest("smoke", ("cat",)), TARGET)).output == ""
    finding = await checker.test(python("import os; print(os.getsid(0) == os.getpid())"), TARGET)
    assert finding.output == "True\n"
    ours, theirs = os.pipe()
    os.set_inheritable(ours, True)
    finding = await checker.test(shell(f"test ! -e /proc/self/fd/{ours}"), TARGET)
    os.close(ours)
    os.close(theirs)
    assert finding.verdict is Verdict.PASS


async def test_one_that_cannot_be_started_is_an_error(checker: OutsideChecker, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("no program")
    program = tmp_path / "program"
    program.write_text("no program either")
    program.chmod(0o755)
    for command, why in (
        (("no-such-program",), "No such file or directory"),
        ((str(plain),), "Permission denied"),
        ((str(program),), "Exec format error"),
        (("nul\0",), "embedded null byte"),
        ((), "no command is given"),
    ):
        finding = await checker.test(CommandTest("smoke", command), TARGET)
        assert finding.verdict is Verdict.ERROR
        assert why in finding.summary


async def test_megabytes_neither_block_nor_stay(checker: OutsideChecker) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    program = "import sys\nfor _ in range(800): sys.stdout.write('x' * 65535 + '\\n')\nprint('the end')"
    finding = await checker.test(python(program, timeout=60.0), TARGET)

    assert finding.verdict is Verdict.PASS, finding.summary
    assert finding.output.endswith("x\nthe end\n")
    assert finding.output.startswith("[524")  # of 52,428,808 bytes
    assert MAXIMUM_OUTPUT - 100 < len(finding.output) <= MAXIMUM_OUTPUT
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before  # KiB
    assert grown < 10_000


async def test_output_is_fit_to_be_shown(checker: OutsideChecker) -> None:
    finding = await checker.test(shell(r"printf '\033[31mred\033[0m\r\0\a\377 gr\303\274n\n\ttab\n'"), TARGET)
    assert finding.output == "red� grün\n\ttab\n"


async def test_one_that_never_ends_is_stopped(checker: OutsideChecker, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    finding = await checker.test(shell(f"echo $$ > {pid}; echo begun; sleep 60 & wait", timeout=0.5), TARGET)

    assert (finding.verdict, finding.output) == (Verdict.FAIL, "begun\n")
    assert finding.summary == "not done within 0.5 s, and stopped"
    assert finding.seconds < command_module.TERMINATION_GRACE
    assert not is_running(int(await written(pid)))


async def test_one_that_ignores_sigterm_is_killed(checker: OutsideChecker, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"trap '' TERM; sleep 60 & echo $$ $! > {pids}; echo deaf; while true; do sleep 60; done"
    finding = await checker.test(shell(script, timeout=0.5), TARGET)

    assert (finding.verdict, finding.output) == (Verdict.FAIL, "deaf\n")
    grace = command_module.TERMINATION_GRACE
    assert 0.5 + grace <= finding.seconds < 0.5 + grace + 1.5
    for pid in map(int, (await written(pids)).split()):
        await gone(pid)


async def test_a_child_left_behind_is_killed(checker: OutsideChecker, tmp_path: Path) -> None:
    """It holds the pipe as well."""
    pid = tmp_path / "pid"
    finding = await checker.test(shell(f"(trap '' TERM HUP; sleep 60) & echo $! > {pid}"), TARGET)

    assert finding.verdict is Verdict.PASS
    assert finding.seconds < command_module.OUTPUT_GRACE
    await gone(int(await written(pid)))


async def test_a_child_that_escapes_does_not_hold_us(checker: OutsideChecker, tmp_path: Path) -> None:
    """In a session of its own, it is beyond reach: known, and documented."""
    pid = tmp_path / "pid"
    finding = await checker.test(shell(f"setsid sleep 60 & echo $! > {pid}; sleep 0.3; echo done"), TARGET)
    try:
        assert (finding.verdict, finding.output) == (Verdict.PASS, "done\n")
        assert finding.seconds < 0.3 + command_module.OUTPUT_GRACE + 1.0
    finally:
        os.kill(int(await written(pid)), signal.SIGKILL)


async def test_cancelled_it_leaves_nothing_behind(checker: OutsideChecker, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"trap '' TERM; sleep 60 & echo $$ $! > {pids}; sleep 60"
    task = asyncio.ensure_future(checker.test(shell(script, timeout=60.0), TARGET))
    running = [int(pid) for pid in (await written(pids)).split()]
    began = asyncio.get_running_loop().time()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert asyncio.get_running_loop().time() - began < 1
    assert not is_running(running[0])  # not a zombie either
    await gone(running[1])


async def test_no_descriptor_is_left(checker: OutsideChecker) -> None:
    await checker.test(shell("true"), TARGET)
    before = os.listdir("/proc/self/fd")
    for _ in range(3):
        await checker.test(shell("sleep 60 & exit 1"), TARGET)
        await checker.test(CommandTest("smoke", ("no-such-program",)), TARGET)
    assert len(os.listdir("/proc/self/fd")) == len(before)


async def test_so_many_at_once(tmp_path: Path) -> None:
    """The third begins only when one of the two before it has ended, and its time with it."""

    async def run(name: str) -> Finding:
        script = f"echo $$ > {tmp_path / name}; while ! test -e {tmp_path}/go; do sleep 0.02; done"
        return await checker.test(shell(script, timeout=30.0), TARGET)

    async with OutsideChecker.open(commands_at_once=2) as checker, asyncio.TaskGroup() as group:
        tasks = [group.create_task(run(name)) for name in ("one", "two", "three")]
        await written(tmp_path / "one")
        await written(tmp_path / "two")
        await asyncio.sleep(0.2)  # nothing tells of what does not happen
        assert not (tmp_path / "three").exists()
        (tmp_path / "go").touch()
    assert [task.result().verdict for task in tasks] == [Verdict.PASS] * 3
    assert (tmp_path / "three").exists()


async def test_retries(checker: OutsideChecker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repetition, "RETRY_PAUSE", 0.0)
    once_wrong = f"test -e {tmp_path}/second || {{ touch {tmp_path}/second; exit 1; }}"
    assert (await checker.test(shell(once_wrong, retries=1), TARGET)).verdict is Verdict.PASS
    finding = await checker.test(shell("exit 1", retries=2), TARGET)
    assert finding.summary == "exit status 1 (the last of 3 tries)"
