"""The one way to change an aggregate."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bluegreen.model.deployment import Status
from bluegreen.model.environment import Environment
from bluegreen.model.errors import Conflict, IllegalTransition, Refused, UnknownName
from bluegreen.model.event import What
from bluegreen.model.rollout import Outcome
from bluegreen.model.traffic_rule import TrafficRule
from deployment_store import SqliteStore
from tests.deployment_store.samples import deploy, deployment, event, move, moved, raw, rollout


async def test_a_new_service_is_an_empty_aggregate(store: SqliteStore) -> None:
    aggregate = await store.load("shop")
    assert (aggregate.revision, aggregate.deployments, aggregate.rollout) == (0, (), None)
    assert aggregate.traffic == TrafficRule("shop")
    assert await store.load_all() == {"shop": aggregate}


async def test_an_unknown_service_is_named_with_those_there_are(store: SqliteStore) -> None:
    with pytest.raises(UnknownName, match=r"no service 'cart'\. Known: shop"):
        await store.load("cart")


async def test_every_field_comes_back_after_reopening(path: Path, store: SqliteStore) -> None:
    aggregate = await deploy(store, 1)
    full = replace(
        aggregate.deployment(1),
        activated_at=1.5,
        prepared_at=2.5,
        deadline_at=3.5,
        withdrawn_at=4.5,
        released_at=5.5,
        note="nöte; DROP TABLE events",
    )
    opened = replace(
        rollout(1),
        previous=1,
        step=1,
        percent=100,
        set_at=1.0,
        acknowledged_at=2.0,
        paused="waits",
        turning_back="gate",
        seconds_to_last_ack=0.01,
        skew=0.001,
    )
    changed = replace(
        aggregate.with_deployment(full), rollout=opened, traffic=TrafficRule("shop", Environment.GREEN, 30)
    )
    written = await store.compare_and_set(changed, aggregate.revision, [event(What.PAUSED)])
    assert written == replace(changed, revision=aggregate.revision + 1, last_rollout_id=1)
    assert await store.load("shop") == written


async def test_another_revision_is_a_conflict_and_changes_nothing(store: SqliteStore) -> None:
    aggregate = await deploy(store, 1)
    for expected in (aggregate.revision - 1, aggregate.revision + 1):
        with pytest.raises(Conflict, match="'shop' changed meanwhile"):
            await store.compare_and_set(
                aggregate.with_deployment(deployment(2, Environment.GREEN)), expected, [event(What.DEPLOYED)]
            )
    assert await store.load("shop") == aggregate
    assert [each.what for each in await store.events("shop")] == [What.PREPARED]


async def test_of_two_at_once_exactly_one_wins(store: SqliteStore) -> None:
    aggregate = await store.load("shop")

    async def write(percent: int) -> int:
        rule = TrafficRule("shop", Environment.BLUE, percent)
        changed = replace(aggregate, traffic=rule)
        return (await store.compare_and_set(changed, 0, [event(What.WEIGHT_SET)])).traffic.cutover_percent

    outcomes = await asyncio.gather(*(write(percent) for percent in range(5)), return_exceptions=True)
    won = [each for each in outcomes if isinstance(each, int)]
    assert len(won) == 1
    assert [type(each) for each in outcomes].count(Conflict) == 4
    stored = await store.load("shop")
    assert (stored.revision, stored.traffic.cutover_percent) == (1, won[0])
    assert len(await store.events("shop")) == 1


async def test_a_status_without_its_event_is_refused_whole(store: SqliteStore) -> None:
    aggregate = await deploy(store, 1)
    changed = aggregate.with_deployment(replace(aggregate.deployment(1), status=Status.ACTIVE))
    with pytest.raises(IllegalTransition):
        await store.compare_and_set(changed, aggregate.revision, [event(What.DEPLOYED)])
    assert await store.load("shop") == aggregate


async def test_the_active_ones_change_places_in_one_write(store: SqliteStore) -> None:
    await deploy(store, 1, until=Status.ACTIVE)
    aggregate = await deploy(store, 2, Environment.GREEN, until=Status.SHIFTING)
    changed, activated = moved(aggregate, 2, What.ACTIVATED)
    changed, draining = moved(changed, 1, What.DRAIN_STARTED)
    written = await store.compare_and_set(changed, aggregate.revision, [activated, draining])
    assert [each.status for each in written.deployments] == [Status.DRAINING, Status.ACTIVE]
    assert await store.load("shop") == written
    # And back: now the one that becomes active stands before the one that makes room for it.
    changed, reactivated = moved(written, 1, What.REACTIVATED)
    changed, draining = moved(changed, 2, What.DRAIN_STARTED)
    back = await store.compare_and_set(changed, written.revision, [reactivated, draining])
    assert [each.status for each in back.deployments] == [Status.ACTIVE, Status.DRAINING]


async def test_a_deployment_supersedes_another_in_one_write(store: SqliteStore) -> None:
    aggregate = await deploy(store, 1)
    changed, superseded = moved(aggregate, 1, What.SUPERSEDED)
    changed = changed.with_deployment(deployment(2))
    written = await store.compare_and_set(changed, aggregate.revision, [superseded])
    assert [each.status for each in written.deployments] == [Status.RETIRED, Status.DEPLOYING]


async def test_what_is_over_and_released_leaves_the_aggregate(store: SqliteStore) -> None:
    aggregate = await deploy(store, 1, until=Status.RETIRED)
    assert [each.revision for each in aggregate.deployments] == [1]
    released = replace(aggregate.deployment(1), released_at=9.0)
    written = await store.compare_and_set(
        aggregate.with_deployment(released), aggregate.revision, [event(What.RELEASED, 1)]
    )
    assert written.deployments == ()
    assert written.last_deployment_revision == 1
    assert await store.load("shop") == written
    assert await store.deployments("shop") == [released]


async def test_the_last_rollout_stays_until_the_next_one(store: SqliteStore) -> None:
    aggregate = await deploy(store, 1)
    aggregate = await store.compare_and_set(replace(aggregate, rollout=rollout(1)), aggregate.revision, [])
    assert aggregate.open_rollout == rollout(1)
    finished = replace(rollout(1), outcome=Outcome.ABORTED, finished_at=7.0)
    aggregate = await store.compare_and_set(replace(aggregate, rollout=finished), aggregate.revision, [])
    assert (await store.load("shop")).rollout == finished
    aggregate = await store.compare_and_set(replace(aggregate, rollout=rollout(2)), aggregate.revision, [])
    assert aggregate.last_rollout_id == 2
    assert await store.load("shop") == aggregate
    assert await store.rollouts("shop") == [rollout(2), finished]


async def test_guards_of_the_database_are_told_in_a_sentence(store: SqliteStore) -> None:
    await deploy(store, 1, until=Status.ACTIVE)
    aggregate = await deploy(store, 2, Environment.GREEN, until=Status.SHIFTING)
    aggregate = await store.compare_and_set(replace(aggregate, rollout=rollout(1)), aggregate.revision, [])
    second, activated = moved(aggregate, 2, What.ACTIVATED)
    refused = {
        "environment is taken": (aggregate.with_deployment(deployment(3, Environment.GREEN)), []),
        "Another deployment is active": (second, [activated]),
        "Another rollout is open": (replace(aggregate, rollout=rollout(2)), []),
        "are never changed": (
            aggregate.with_deployment(replace(aggregate.deployment(1), version="other")),
            [],
        ),
        "CHECK constraint failed": (
            replace(aggregate, traffic=replace(aggregate.traffic, cutover_percent=101)),
            [],
        ),
    }
    for sentence, (changed, events) in refused.items():
        with pytest.raises(Refused, match=sentence):
            await store.compare_and_set(changed, aggregate.revision, events)
    assert await store.load("shop") == aggregate


async def test_history_is_not_written_again(store: SqliteStore) -> None:
    await deploy(store, 1, until=Status.RETIRED)
    before = await store.load("shop")
    released = replace(before.deployment(1), released_at=9.0)
    finished = replace(rollout(1), outcome=Outcome.COMPLETED, finished_at=7.0)
    changed = replace(before.with_deployment(released), rollout=finished)
    aggregate = await store.compare_and_set(changed, before.revision, [])
    reopened = replace(aggregate, rollout=rollout(1))
    with pytest.raises(Refused, match="A finished rollout stays as it is"):
        await store.compare_and_set(reopened, aggregate.revision, [])
    with pytest.raises(Refused, match="with this revision already"):
        await store.compare_and_set(aggregate.with_deployment(deployment(1)), aggregate.revision, [])


async def test_only_what_changed_is_written(path: Path, store: SqliteStore) -> None:
    await deploy(store, 1)
    aggregate = await deploy(store, 2, Environment.GREEN)
    aggregate = await store.compare_and_set(replace(aggregate, rollout=rollout(1)), aggregate.revision, [])
    with raw(path) as shell:
        shell.execute("CREATE TABLE written (what)")
        for table in ("deployments", "rollouts", "traffic_rules"):
            insert = f"INSERT INTO written VALUES ('{table} ' || NEW.rowid)"  # noqa: S608
            shell.execute(f"CREATE TRIGGER written_{table} AFTER UPDATE ON {table} BEGIN {insert}; END")
    rule = TrafficRule("shop", Environment.BLUE)
    aggregate = await store.compare_and_set(replace(aggregate, traffic=rule), aggregate.revision, [])
    aggregate = await move(store, 2, What.SHIFT_STARTED)
    changed = replace(aggregate, rollout=replace(rollout(1), percent=10))
    await store.compare_and_set(changed, aggregate.revision, [])
    with raw(path) as shell:
        written = [what for (what,) in shell.execute("SELECT what FROM written")]
    assert written == ["traffic_rules 1", "deployments 2", "rollouts 1"]


async def test_reading_waits_for_no_writer(path: Path, store: SqliteStore) -> None:
    with raw(path) as shell:
        shell.execute("BEGIN IMMEDIATE")
        shell.execute("UPDATE services SET revision = 7")
        assert (await store.load("shop")).revision == 0
        shell.execute("COMMIT")
    assert (await store.load("shop")).revision == 7
