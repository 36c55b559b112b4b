"""Fixtures for whole releases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bluegreen.app.demo.processes import ChildProcesses
from tests.release.world import World


@pytest.fixture
async def world(children: ChildProcesses, tmp_path: Path) -> AsyncIterator[World]:
    made = World(children, tmp_path)
    yield made
    await made.close()
