"""A file of schema 3, full, in which nobody could expand yet."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bluegreen.model.deployment import Status
from deployment_store import SqliteStore
from deployment_store.connection import configure, connect
from deployment_store.migration import migrate, read_migrations
from tests.deployment_store.samples import raw

OLD_STATUSES = [each for each in Status if each is not Status.EXPANDING]
COLUMNS = (
    "service, revision, version, environment, status, endpoints, upstream, health_check, deployed_at, "
    "status_since, activated_at, prepared_at, deadline_at, withdrawn_at, released_at, note, provisioning, "
    "full_capacity, capacity, instances, leaving, leaving_since, gone, stopped_at"
)
INSTANCES = '[{"id": "7f3a", "endpoint": {"host": "10.0.0.1", "port": 80}, "state": "up", "note": ""}]'


@pytest.fixture
async def old(tmp_path: Path) -> Path:
    """Each status on a service of its own, with every column filled, a rollout and a check of it."""
    path = tmp_path / "schema3.db"
    async with connect(path) as db:
        await configure(db)
        await migrate(db, read_migrations()[:3])
    with raw(path) as shell:
        for number, status in enumerate(OLD_STATUSES, start=1):
            _fill(shell, f"shop-{status}", number, status)
        shell.execute("INSERT INTO events (at, service, what, actor, message) VALUES (1, 's', 'w', 'a', 'm')")
        shell.execute("INSERT INTO commands VALUES ('key', 'shop-ready', 5, 'said', 2, NULL)")
    return path


def _fill(shell: sqlite3.Connection, service: str, number: int, status: str) -> None:
    spec = f'{{"name": "{service}", "gateways": ["edge"], "domains": ["{service}.example"]}}'
    shell.execute("INSERT INTO services (name, spec, revision) VALUES (?, ?, 4)", (service, spec))
    shell.execute("INSERT INTO traffic_rules VALUES (?, NULL, 0)", (service,))
    row = (
        *(service, number, f"v{number}", "green", status, '[{"host": "10.0.0.1", "port": 80}]', "{}", "null"),
        *(100.5, 101.5, 102.5, 103.5, 104.5, None, None, "a note", "null", 3, 2, INSTANCES, '["7f3a"]'),
        *(105.5, '["6e"]', None),
    )
    marks = ", ".join("?" for _ in row)
    shell.execute(f"INSERT INTO deployments ({COLUMNS}) VALUES ({marks})", row)  # noqa: S608
    shell.execute(
        "INSERT INTO rollouts (service, number, kind, candidate, steps, started_at, step, percent, set_at)"
        " VALUES (?, 1, 'promote', ?, '[]', 1, -1, 0, 1)",
        (service, number),
    )
    shell.execute(
        "INSERT INTO checks (service, number, kind, deployment, wanted_at) VALUES (?, 1, 'tests', ?, 1)",
        (service, number),
    )


def _rows(path: Path, what: str) -> list[tuple[object, ...]]:
    with raw(path) as shell:
        return shell.execute(what).fetchall()


async def test_every_row_is_as_it_was(old: Path) -> None:
    tables = ("deployments", "rollouts", "checks", "services", "traffic_rules", "events", "deployment_log")
    before = {table: _rows(old, f"SELECT * FROM {table} ORDER BY 1") for table in tables}  # noqa: S608
    assert len(before["deployments"]) == len(OLD_STATUSES)
    async with SqliteStore.open(old) as store:
        for status in OLD_STATUSES:
            aggregate = await store.load(f"shop-{status}")
            (deployment,) = aggregate.deployments
            assert (deployment.status, deployment.instances[0].id) == (status, "7f3a")
            assert (aggregate.migration_runs, aggregate.ledger) == ((), ())
        taken = await store.taken_command("key")
        assert taken is not None
        assert (taken.message, taken.deployment, taken.migration) == ("said", 2, None)
    after = {table: _rows(old, f"SELECT * FROM {table} ORDER BY 1") for table in tables}  # noqa: S608
    assert after == before
    assert _rows(old, "PRAGMA foreign_key_check") == []
    assert _rows(old, "PRAGMA integrity_check") == [("ok",)]


async def test_it_guards_what_a_new_file_guards(old: Path, path: Path) -> None:
    """Tables, indexes, triggers and views are the same, whichever way the file came to this schema."""
    async with SqliteStore.open(old), SqliteStore.open(path):
        pass
    shape = "SELECT type, name, tbl_name, replace(sql, '\"', '') FROM sqlite_schema ORDER BY 1, 2"
    assert _rows(old, shape) == _rows(path, shape)
    names = {name for _, name, *_ in _rows(old, shape)}
    assert {
        "one_open_deployment_per_environment",
        "one_active_deployment_per_service",
        "deployments_stay_what_they_are",
        "deployments_that_are_over_stay_so",
        "deployments_are_kept",
        "services_in_use_are_kept",
    } <= names


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("DELETE FROM deployments", "never deleted"),
        ("UPDATE deployments SET version = 'v9'", "version and environment of a deployment"),
        ("UPDATE deployments SET status = 'ready' WHERE status = 'failed'", "retired or failed stays so"),
        ("UPDATE services SET removed = 1 WHERE name = 'shop-ready'", "has an open deployment"),
        ("UPDATE deployments SET status = 'asleep'", "CHECK constraint failed"),
        ("UPDATE rollouts SET candidate = 99", "FOREIGN KEY constraint failed"),
        ("INSERT INTO deployments (service, revision, version, environment, status, endpoints, deployed_at,"
         " status_since) VALUES ('shop-active', 90, 'v90', 'blue', 'active', '[]', 1, 1)",
         "UNIQUE constraint failed: deployments.service"),
    ],
)  # fmt: skip
async def test_the_guards_hold(old: Path, sql: str, reason: str) -> None:
    async with SqliteStore.open(old):
        pass
    with raw(old) as shell, pytest.raises(sqlite3.IntegrityError, match=reason):
        shell.execute(sql)


async def test_a_deployment_may_expand_now(old: Path) -> None:
    async with SqliteStore.open(old):
        pass
    with raw(old) as shell:
        shell.execute("UPDATE deployments SET status = 'expanding' WHERE status = 'deploying'")
