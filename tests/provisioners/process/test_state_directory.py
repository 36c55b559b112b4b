"""What is found of a control plane before us, also where it is not what was written."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from bluegreen.provisioners.process.identity import Identity
from bluegreen.provisioners.process.record import InstanceRecord
from bluegreen.provisioners.process.state_directory import VOID, Found, StateDirectory

RECORD = InstanceRecord("0a1b2c3d", "shop", "blue", 7, "v7", "127.0.0.1", 20_001, 1.5, starts=2)


async def test_what_is_saved_is_found(directory: Path) -> None:
    first = replace(RECORD, id="ffffffff", created=0.5)
    async with StateDirectory.open(directory) as state:
        assert state.load() == []
        await state.save(RECORD)
        await state.save(first)
        await state.save(replace(RECORD, proven=True))
    async with StateDirectory.open(directory) as state:
        assert state.load() == [Found(first, None), Found(replace(RECORD, proven=True), None)]
        await state.remove(RECORD)
        await state.remove(RECORD)
        assert state.load() == [Found(first, None)]
    names = sorted(each.name for each in (directory / "instances").iterdir())
    assert names == ["ffffffff.2", "ffffffff.json"]
    assert {oct(each.stat().st_mode & 0o777) for each in (directory, directory / "instances")} == {"0o700"}


async def test_a_start_that_was_not_claimed_is_void_from_then_on(directory: Path) -> None:
    async with StateDirectory.open(directory) as state:
        await state.save(RECORD)
        assert state.load() == [Found(RECORD, None)]
        assert state.claim_path(RECORD).read_text() == VOID
        await state.drop_claim(RECORD)  # as after a process: yet its launcher may be on its way still
        assert state.claim_path(RECORD).read_text() == VOID


async def test_a_start_that_was_claimed_is_found(directory: Path) -> None:
    async with StateDirectory.open(directory) as state:
        await state.save(RECORD)
        state.claim_path(RECORD).write_text(f"{os.getpid()} 17 boot\n")
        os.utime(directory / "instances", (0, 0))
        assert state.load() == [Found(RECORD, Identity(os.getpid(), 17, "boot"))]
        assert (directory / "instances").stat().st_mtime == 0  # nothing was written: the disk may be full
        await state.drop_claim(RECORD)
        assert not state.claim_path(RECORD).exists()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        RECORD.encode().replace("20001", '"20001"').encode(),
        RECORD.encode().replace("false", "0").encode(),
        RECORD.encode().replace("0a1b2c3d", "../../x").encode(),
        RECORD.encode().replace("starts", "begins").encode(),
    ],
)
async def test_a_broken_record_is_left_alone_and_told(
    directory: Path, text: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with StateDirectory.open(directory) as state:
        await state.save(RECORD)
        broken = state.record_path("bbbbbbbb")
        claim = broken.with_name("bbbbbbbb.1")
        broken.write_bytes(text)
        claim.write_text("1 2 3\n")
        assert [each.record for each in state.load()] == [RECORD]
        assert (broken.read_bytes(), claim.exists()) == (text, True)
    assert f"{broken} cannot be read" in caplog.text


async def test_what_a_kill_left_half_done_is_swept(directory: Path) -> None:
    async with StateDirectory.open(directory) as state:
        await state.save(RECORD)
        for name in ("0a1b2c3d.draft", "0a1b2c3d.2.4711", "dddddddd.1", "dddddddd.1.4711"):
            (directory / "instances" / name).write_text("half")
        state.load()
        left = sorted(each.name for each in (directory / "instances").iterdir())
    assert left == ["0a1b2c3d.2", "0a1b2c3d.json"]
