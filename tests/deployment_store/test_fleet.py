"""A proxy that was seen is known until it is forgotten."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bluegreen.model.errors import UnknownName
from bluegreen.model.event import CONTROLLER, What
from bluegreen.model.known_proxy import KnownProxy
from deployment_store import SqliteStore
from tests.deployment_store.samples import OPERATOR

PROXY = KnownProxy("edge-1", "edge", "1.40.0", 10.0, 10.0)


async def test_the_fleet_outlives_the_process(path: Path) -> None:
    async with SqliteStore.open(path) as store:
        await store.remember_proxies([PROXY])
        await store.remember_proxies([replace(PROXY, id="side-1", gateway="sidecars")])
    async with SqliteStore.open(path) as store:
        assert [each.id for each in await store.known_proxies()] == ["edge-1", "side-1"]


async def test_seen_again(store: SqliteStore) -> None:
    await store.remember_proxies([PROXY])
    await store.remember_proxies([KnownProxy("edge-1", "edge", "1.41.0", 20.0, 20.0)])
    await store.remember_proxies([KnownProxy("edge-1", "edge", "1.41.0", 5.0, 15.0)])
    assert await store.known_proxies() == [KnownProxy("edge-1", "edge", "1.41.0", 10.0, 20.0)]
    (seen,) = await store.events(None)
    assert (seen.at, seen.service, seen.what, seen.origin) == (10.0, "", What.PROXY_SEEN, CONTROLLER)


async def test_forgotten_by_whom_and_why(store: SqliteStore) -> None:
    await store.remember_proxies([PROXY])
    await store.forget_proxy("edge-1", 30.0, OPERATOR)
    assert await store.known_proxies() == []
    forgotten = (await store.events(None))[-1]
    assert (forgotten.at, forgotten.what, forgotten.origin) == (30.0, What.PROXY_FORGOTTEN, OPERATOR)


async def test_only_a_known_one_is_forgotten(store: SqliteStore) -> None:
    await store.remember_proxies([PROXY])
    with pytest.raises(UnknownName, match=r"no proxy 'edge-2'\. Known: edge-1"):
        await store.forget_proxy("edge-2", 30.0, OPERATOR)
    assert len(await store.events(None)) == 1
