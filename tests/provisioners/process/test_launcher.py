"""A start is run once, by the process that claims it, or never."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bluegreen.provisioners.process import launcher
from bluegreen.provisioners.process.identity import Identity
from bluegreen.provisioners.process.running_process import RunningProcess


@pytest.fixture
def claim(tmp_path: Path) -> Path:
    return tmp_path / "one.1"


@pytest.fixture
def record(tmp_path: Path) -> Path:
    record = tmp_path / "one.json"
    record.touch()
    return record


def launch(claim: Path, record: Path, script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (sys.executable, "-I", "-S", launcher.__file__, claim, record, "", "/bin/sh", "-c", script),
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_claims_and_becomes_the_command(claim: Path, record: Path) -> None:
    ended = launch(claim, record, "cut -d ' ' -f 22 /proc/$$/stat; echo $$")
    start, pid = (int(line) for line in ended.stdout.split())
    identity = Identity.parse(claim.read_text())
    assert identity is not None
    assert (identity.pid, identity.start) == (pid, start)
    assert sorted(claim.parent.iterdir()) == [claim, record]


def test_what_is_claimed_or_void_already_is_not_run(claim: Path, record: Path) -> None:
    claim.write_text("void\n")
    ended = launch(claim, record, "echo runs")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert claim.read_text() == "void\n"
    assert sorted(claim.parent.iterdir()) == [claim, record]


def test_what_is_forgotten_is_not_run(claim: Path, record: Path) -> None:
    record.unlink()
    ended = launch(claim, record, "echo runs")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert list(claim.parent.iterdir()) == []


def test_what_cannot_be_claimed_is_not_run(claim: Path, record: Path) -> None:
    ended = launch(claim.parent / "none" / "one.1", record, "echo runs")
    assert (ended.returncode, ended.stdout) == (127, "")
    assert "No such file or directory" in ended.stderr


def test_an_identity_is_of_one_process() -> None:
    here = Identity.of(os.getpid())
    assert here is not None
    assert Identity.parse(f"{here.pid} {here.start} {here.boot}\n") == here
    assert 0 <= here.age < 86_400
    with subprocess.Popen(("/bin/sh", "-c", "exec -a 'a) b (c' sleep 0 || true")) as child:
        assert Identity.of(child.pid) not in (None, here)
    assert Identity.of(child.pid) is None
    for text in ("", "void\n", "x 1 y", "1 2", "1 2 3 4", "-1 2 b"):
        assert Identity.parse(text) is None


async def test_a_number_that_is_another_process_by_now_is_not_adopted() -> None:
    here = Identity.of(os.getpid())
    assert here is not None
    for other in (replace(here, start=here.start - 1), replace(here, boot="another")):
        assert RunningProcess.adopt(other, lambda: None) is None
    adopted = RunningProcess.adopt(here, lambda: None)
    assert adopted is not None
    adopted.let_go()
