"""Readers are told what changed: after the commit, and each name once."""

from __future__ import annotations

import asyncio
import gc
import weakref
from dataclasses import replace
from pathlib import Path

import pytest

from bluegreen.model.errors import Conflict
from bluegreen.model.event import What
from bluegreen.model.store import CatalogueChange
from deployment_store import SqliteStore
from deployment_store.watching import Watches
from tests.deployment_store.samples import SHOP, add_catalogue, event

CART = replace(SHOP, name="cart", domains=("cart.example",))


async def change(store: SqliteStore, service: str, times: int = 1) -> None:
    for _ in range(times):
        aggregate = await store.load(service)
        told = replace(event(What.WEIGHT_SET), service=service)
        await store.compare_and_set(aggregate, aggregate.revision, [told])


async def test_a_reader_that_waits_is_told_after_the_commit(store: SqliteStore) -> None:
    watch = store.watch()
    reader = asyncio.ensure_future(anext(watch))
    await change(store, "shop")
    assert await reader == "shop"
    assert (await store.load("shop")).revision == 1


async def test_a_slow_reader_is_told_of_a_service_once(store: SqliteStore) -> None:
    await store.change_catalogue(CatalogueChange(services=(CART,)), [])
    slow, quick = store.watch(), store.watch()
    await change(store, "shop", times=3)
    assert await anext(quick) == "shop"
    await change(store, "cart")
    await change(store, "shop")
    assert [await anext(slow), await anext(slow)] == ["shop", "cart"]
    assert [await anext(quick), await anext(quick)] == ["cart", "shop"]


async def test_the_store_ends_its_watches(path: Path) -> None:
    async with SqliteStore.open(path) as store:
        watch = store.watch()
        await add_catalogue(store)
    assert [name async for name in watch] == ["shop"]


async def test_a_write_that_fails_tells_nothing(path: Path) -> None:
    async with SqliteStore.open(path) as store:
        await add_catalogue(store)
        watch = store.watch()
        aggregate = await store.load("shop")
        with pytest.raises(Conflict):
            await store.compare_and_set(aggregate, 9, [])
    assert [name async for name in watch] == []


async def test_a_catalogue_change_tells_of_its_services(path: Path) -> None:
    async with SqliteStore.open(path) as store:
        await add_catalogue(store)
        watch = store.watch()
        await store.change_catalogue(CatalogueChange(services=(CART,), removed_services=("shop",)), [])
    assert [name async for name in watch] == ["cart", "shop"]


async def test_a_reader_that_is_gone_is_forgotten() -> None:
    watches = Watches()
    kept, dropped = watches.begin(), watches.begin()
    reference = weakref.ref(dropped)
    del dropped
    gc.collect()
    assert reference() is None
    watches.tell(["shop"])
    assert await anext(kept) == "shop"
