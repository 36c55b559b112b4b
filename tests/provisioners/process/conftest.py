"""Fixtures: a provisioner whose processes are gone when the test is over."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from bluegreen.provisioners.process.process_provisioner import ProcessProvisioner
from tests.provisioners.process.world import processes


@pytest.fixture
def mark() -> Iterator[str]:
    """On the command line of every process of this test."""
    mark = f"mark-{secrets.token_hex(8)}"
    yield mark
    for pid in processes(mark):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "state" / "processes"


@pytest.fixture
async def provisioner(directory: Path, mark: str) -> AsyncIterator[ProcessProvisioner]:
    async with ProcessProvisioner.open(directory) as provisioner:
        yield provisioner
        await provisioner.reap()
