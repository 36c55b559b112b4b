"""The database guards itself, whoever writes to it."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from bluegreen.model.deployment import Status
from bluegreen.model.environment import Environment
from bluegreen.model.event import What
from bluegreen.model.rollout import Outcome
from deployment_store import SqliteStore
from tests.deployment_store.samples import add_catalogue, deploy, event, raw, rollout

A_DEPLOYMENT = """
INSERT INTO deployments (service, revision, version, environment, status, endpoints, status_since,
    deployed_at)
VALUES"""
A_ROLLOUT = """
INSERT INTO rollouts (service, number, kind, steps, started_at, step, set_at, candidate, percent, outcome,
    finished_at)
VALUES ('shop', 9, 'promote', '[]', 1, 0, 0,"""
AN_EVENT = "INSERT INTO events (at, service, what, actor, message) VALUES"

REFUSED = {
    "second open deployment": (
        f"{A_DEPLOYMENT} ('shop', 9, 'v', 'blue', 'ready', '[]', 1, 1)",
        "UNIQUE constraint failed: deployments.service, deployments.environment",
    ),
    "second active deployment": (
        "UPDATE deployments SET status = 'active' WHERE revision = 2",
        "UNIQUE constraint failed: deployments.service",
    ),
    "revision given twice": (
        f"{A_DEPLOYMENT} ('shop', 1, 'v', 'blue', 'failed', '[]', 1, 1)",
        "UNIQUE constraint failed: deployments.service, deployments.revision",
    ),
    "unknown environment": (
        f"{A_DEPLOYMENT} ('shop', 9, 'v', 'red', 'failed', '[]', 1, 1)",
        "environment IN",
    ),
    "unknown status": (f"{A_DEPLOYMENT} ('shop', 9, 'v', 'blue', 'done', '[]', 1, 1)", "status IN"),
    "no version": (f"{A_DEPLOYMENT} ('shop', 9, '', 'blue', 'failed', '[]', 1, 1)", "version <> ''"),
    "endpoints that are no JSON": (
        f"{A_DEPLOYMENT} ('shop', 9, 'v', 'blue', 'failed', '[', 1, 1)",
        "json_valid",
    ),
    "time that is none": (
        f"{A_DEPLOYMENT} ('shop', 9, 'v', 'blue', 'failed', '[]', 1, 'now')",
        "cannot store TEXT",
    ),
    "unknown service": (f"{A_DEPLOYMENT} ('cart', 9, 'v', 'blue', 'failed', '[]', 1, 1)", "FOREIGN KEY"),
    "other version": ("UPDATE deployments SET version = 'x' WHERE revision = 1", "never changed"),
    "other environment": ("UPDATE deployments SET environment = 'blue' WHERE revision = 3", "never changed"),
    "failed one revived": ("UPDATE deployments SET status = 'ready' WHERE revision = 3", "stays so"),
    "deployment deleted": ("DELETE FROM deployments WHERE revision = 3", "never deleted"),
    "second open rollout": (f"{A_ROLLOUT} 1, 0, NULL, NULL)", "UNIQUE constraint failed: rollouts.service"),
    "finish without an outcome": (f"{A_ROLLOUT} 1, 0, NULL, 1)", "finished_with_an_outcome"),
    "percent beyond 100": (f"{A_ROLLOUT} 1, 101, 'failed', 1)", "percent BETWEEN 0 AND 100"),
    "unknown outcome": (f"{A_ROLLOUT} 1, 100, 'fine', 1)", "outcome IN"),
    "rollout of nothing": (f"{A_ROLLOUT} 77, 0, 'failed', 1)", "FOREIGN KEY"),
    "rollout reopened": (
        "UPDATE rollouts SET outcome = NULL, finished_at = NULL WHERE number = 1",
        "stays as it is",
    ),
    "cutover beyond 100": ("UPDATE traffic_rules SET cutover_percent = 101", "BETWEEN 0 AND 100"),
    "cutover below 0": ("UPDATE traffic_rules SET cutover_percent = -1", "BETWEEN 0 AND 100"),
    "unknown active environment": ("UPDATE traffic_rules SET active_environment = 'red'", "environment IN"),
    "event changed": ("UPDATE events SET actor = 'somebody else'", "Events are never changed"),
    "event deleted": ("DELETE FROM events", "Events are deleted only"),
    "event without a message": (f"{AN_EVENT} (1, 'shop', 'paused', 'me', NULL)", "NOT NULL"),
    "service in use removed": ("UPDATE services SET removed = 1", "has an open deployment"),
    "service deleted": ("DELETE FROM services", "FOREIGN KEY"),
    "gateway in use deleted": ("DELETE FROM gateways", "FOREIGN KEY"),
    "proxy without a name": ("INSERT INTO proxies VALUES ('', 'edge', '', 1, 1)", "id <> ''"),
}


@pytest.mark.parametrize(("statement", "guard"), REFUSED.values(), ids=REFUSED.keys())
async def test_the_database_refuses(path: Path, statement: str, guard: str) -> None:
    async with SqliteStore.open(path) as store:
        await fill(store)
    with raw(path) as shell, pytest.raises(sqlite3.IntegrityError, match=re.escape(guard)):
        shell.execute(statement)


async def fill(store: SqliteStore) -> None:
    await add_catalogue(store)
    await deploy(store, 1, until=Status.ACTIVE)
    await deploy(store, 3, Environment.GREEN, until=Status.FAILED)
    aggregate = await deploy(store, 2, Environment.GREEN)
    finished = replace(rollout(1), outcome=Outcome.FAILED, finished_at=7.0)
    for each in (finished, rollout(2)):
        aggregate = await store.compare_and_set(
            replace(aggregate, rollout=each), aggregate.revision, [event(What.WEIGHT_SET)]
        )


async def test_the_views_show_times_as_text(path: Path) -> None:
    async with SqliteStore.open(path) as store:
        await fill(store)
    with raw(path) as shell:
        assert shell.execute("SELECT at, what, actor FROM event_log LIMIT 1").fetchall() == [
            ("1970-01-01T00:16:40.000Z", "prepared", "olga")
        ]
        assert shell.execute(
            "SELECT revision, status, deployed_at, released_at FROM deployment_log"
        ).fetchall() == [
            (1, "active", "1970-01-01T00:16:40.000Z", None),
            (2, "ready", "1970-01-01T00:16:40.000Z", None),
            (3, "failed", "1970-01-01T00:16:40.000Z", None),
        ]
        assert shell.execute("SELECT number, outcome, finished_at FROM rollout_log").fetchall() == [
            (1, "failed", "1970-01-01T00:00:07.000Z"),
            (2, "open", None),
        ]
