"""Gates that were asked: recorded before they are begun, and their verdicts for good."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from bluegreen.model.check import Check, CheckKind
from bluegreen.model.environment import Environment
from bluegreen.model.event import What
from bluegreen.model.verdict import Finding, Verdict
from deployment_store import SqliteStore
from deployment_store.aggregates import KEPT_CHECKS
from tests.deployment_store.samples import deploy, deployment, event, move, raw

ASKED = Check(1, "shop", CheckKind.TESTS, 1, 1000.0)
ANSWERED = replace(
    ASKED,
    verdict=Verdict.FAIL,
    finished_at=1003.0,
    summary="home page: 500, wanted 200",
    findings=(Finding("home page", Verdict.FAIL, "500, wanted 200", "it's broken\n", 0.25),),
)


async def add(store: SqliteStore, *checks: Check) -> None:
    aggregate = await store.load("shop")
    for check in checks:
        aggregate = aggregate.with_check(check)
    written = await store.compare_and_set(aggregate, aggregate.revision, [event(What.PAUSED)])
    assert written == await store.load("shop")


async def test_a_check_comes_back_whole(store: SqliteStore) -> None:
    await deploy(store, 1)
    await add(store, ASKED)
    assert (await store.load("shop")).checks == (ASKED,)
    await add(store, ANSWERED)
    aggregate = await store.load("shop")
    assert aggregate.checks == (ANSWERED,) == tuple(await store.checks("shop"))
    assert aggregate.last_check_id == 1


async def test_a_verdict_stays_as_it_is(path: Path, store: SqliteStore) -> None:
    await deploy(store, 1)
    await add(store, ANSWERED)
    with raw(path) as shell, pytest.raises(sqlite3.IntegrityError, match="A verdict stays as it is"):
        shell.execute("UPDATE checks SET verdict = 'pass'")


async def test_what_is_still_asked_about_stays_in_the_aggregate(store: SqliteStore) -> None:
    await deploy(store, 1)
    await add(store, ASKED)
    aggregate = await move(store, 1, What.SUPERSEDED)
    released = replace(aggregate.deployment(1), released_at=1010.0)
    written = await store.compare_and_set(
        aggregate.with_deployment(released), aggregate.revision, [event(What.RELEASED, 1)]
    )
    assert [each.revision for each in written.deployments] == [1]
    assert written == await store.load("shop")
    await add(store, ANSWERED)
    assert (await store.load("shop")).deployments == ()


async def test_the_aggregate_carries_the_newest_and_history_all(store: SqliteStore) -> None:
    await deploy(store, 1)
    many = [replace(ANSWERED, id=number) for number in range(1, KEPT_CHECKS + 4)]
    await add(store, *many)
    aggregate = await store.load("shop")
    assert [check.id for check in aggregate.checks] == list(range(4, KEPT_CHECKS + 4))
    assert [check.id for check in await store.checks("shop", limit=2)] == [KEPT_CHECKS + 3, KEPT_CHECKS + 2]
    await add(store, replace(ANSWERED, id=KEPT_CHECKS + 4))
    assert (await store.load("shop")).last_check_id == KEPT_CHECKS + 4


async def test_what_is_written_after_a_deployment_is_over_does_not_repeat_its_checks(
    store: SqliteStore,
) -> None:
    await deploy(store, 1)
    await add(store, ANSWERED)
    aggregate = await move(store, 1, What.SUPERSEDED)
    aggregate = aggregate.with_deployment(replace(aggregate.deployment(1), released_at=1010.0))
    aggregate = await store.compare_and_set(aggregate, aggregate.revision, [event(What.RELEASED, 1)])
    assert aggregate == await store.load("shop")
    for revision in (2, 3):
        environment = Environment.BLUE if revision == 2 else Environment.GREEN
        aggregate = aggregate.with_deployment(deployment(revision, environment))
        aggregate = await store.compare_and_set(aggregate, aggregate.revision, [])
        assert aggregate == await store.load("shop")


async def test_verdicts_on_what_is_over_are_pruned_and_no_others(store: SqliteStore) -> None:
    await deploy(store, 1)
    await add(store, ANSWERED)
    await store.prune_events(2000.0)
    assert len(await store.checks("shop")) == 1
    await move(store, 1, What.SUPERSEDED)
    await store.prune_events(1003.0)
    assert len(await store.checks("shop")) == 1
    await store.prune_events(2000.0)
    assert await store.checks("shop") == []
