"""A store in a real file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deployment_store import SqliteStore
from tests.deployment_store.samples import add_catalogue


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bluegreen.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    async with SqliteStore.open(path) as opened:
        await add_catalogue(opened)
        yield opened
