"""What is written to a file that nobody can find again is not on record."""

from __future__ import annotations

from pathlib import Path

import pytest

from bluegreen.model.errors import NotServing, Refused
from deployment_store import SqliteStore


async def test_a_deleted_database_is_noticed_before_anything_is_promised(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with SqliteStore.open(path) as store:
        path.rename(tmp_path / "elsewhere.db")
        with pytest.raises(NotServing, match="deleted or replaced"):
            await store.load_all()
        with pytest.raises(NotServing, match="deleted or replaced"):
            await store.prune_events(0.0)
        (tmp_path / "elsewhere.db").rename(path)
        assert await store.load_all() == {}


async def test_a_link_to_the_database_is_the_database(tmp_path: Path) -> None:
    path, link = tmp_path / "store.db", tmp_path / "link.db"
    async with SqliteStore.open(path):
        link.symlink_to(path)
        with pytest.raises(Refused, match="in use by another control plane"):
            async with SqliteStore.open(link):
                pass
