"""Events are appended, read on, and kept for a while; the file does not grow for ever."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bluegreen.model.environment import Environment
from bluegreen.model.event import Event, What
from bluegreen.model.known_proxy import KnownProxy
from deployment_store import SqliteStore
from deployment_store.connection import WAL_LIMIT
from deployment_store.history import PRUNED_AT_ONCE
from tests.deployment_store.samples import OPERATOR, deploy, event, raw


async def tell(store: SqliteStore, *events: Event) -> None:
    aggregate = await store.load("shop")
    await store.compare_and_set(aggregate, aggregate.revision, events)


async def test_an_event_comes_back_whole(store: SqliteStore) -> None:
    told = Event(1.5, "shop", What.WEIGHT_SET, OPERATOR, "Ten percent; it's 'new'.", "0", "10", 3, 2)
    await tell(store, told)
    assert await store.events("shop") == [replace(told, id=1)]


async def test_the_newest_are_read_oldest_first(store: SqliteStore) -> None:
    await tell(store, *(event(What.PAUSED, after=str(number)) for number in range(1, 6)))
    await store.remember_proxies([KnownProxy("edge-1", "edge", "", 1.0, 1.0)])
    assert [each.id for each in await store.events("shop")] == [1, 2, 3, 4, 5]
    assert [each.id for each in await store.events("shop", limit=2)] == [4, 5]
    assert [each.id for each in await store.events("shop", after=3)] == [4, 5]
    assert [each.id for each in await store.events(None, after=3)] == [4, 5, 6]
    assert await store.events("cart") == []


async def test_deployments_and_rollouts_newest_first(store: SqliteStore) -> None:
    await deploy(store, 1)
    await deploy(store, 2, Environment.GREEN)
    assert [each.revision for each in await store.deployments("shop")] == [2, 1]
    assert [each.revision for each in await store.deployments("shop", limit=1)] == [2]
    assert await store.rollouts("shop") == []


async def test_old_events_are_pruned_and_no_others(path: Path, store: SqliteStore) -> None:
    await tell(store, *(event(What.PAUSED, at=float(number)) for number in range(2 * PRUNED_AT_ONCE + 7)))
    boundary = 2.0 * PRUNED_AT_ONCE + 5
    assert await store.prune_events(boundary) == 2 * PRUNED_AT_ONCE + 5
    assert [each.at for each in await store.events("shop")] == [boundary, boundary + 1]
    assert await store.prune_events(boundary) == 0
    assert await store.prune_events(0.0) == 0
    with raw(path) as shell:
        assert shell.execute("SELECT events_before FROM retention").fetchall() == [(boundary,)]
    await tell(store, event(What.RESUMED))
    assert (await store.events("shop"))[-1].id == 2 * PRUNED_AT_ONCE + 8  # no number is given twice


async def test_pruning_gives_the_room_back(path: Path, store: SqliteStore) -> None:
    def pages() -> tuple[int, int]:
        with raw(path) as shell:
            (count,), (free,) = (
                shell.execute(f"PRAGMA {of}").fetchone() for of in ("page_count", "freelist_count")
            )
        return count, free

    before, _ = pages()
    large = replace(event(What.PAUSED, at=1.0), message="x" * 2000)
    await tell(store, *(large for _ in range(500)))
    assert pages()[0] > before + 200
    await store.prune_events(2.0)
    assert pages() <= (before + 2, 0)


async def test_the_write_ahead_log_stays_bounded(path: Path, store: SqliteStore) -> None:
    large = replace(event(What.PAUSED), message="x" * 40_000)
    for _ in range(100):
        await tell(store, *(large for _ in range(5)))
    # It is emptied every 1,000 pages, and a single large write may go beyond that once.
    assert Path(f"{path}-wal").stat().st_size < 1.5 * WAL_LIMIT
    assert path.stat().st_size > 3 * WAL_LIMIT
