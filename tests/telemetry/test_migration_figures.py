"""What migrations came to, as Prometheus is told it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from bluegreen.model.database import Database
from bluegreen.model.deployment import Status
from bluegreen.model.migration import MigrationName, MigrationProgress, Phase
from bluegreen.model.secret import Secret
from bluegreen.model.verdict import Verdict
from bluegreen.telemetry.figures import Figures
from tests.admin.puppet_operations import PuppetOperations
from tests.deployment_store.samples import SHOP, deployment
from tests.telemetry.test_gate_figures import follow_up

BACKFILL, CONTRACT = (MigrationName(2, "split_name", phase) for phase in (Phase.BACKFILL, Phase.CONTRACT))
LEFT: dict[str, Any] = {"backfills_left": (BACKFILL,), "contracts_left": (CONTRACT,)}


@pytest.fixture
def puppet() -> PuppetOperations:
    """v1 is active; the service has a database."""
    puppet = PuppetOperations()
    service = replace(SHOP, database=Database(Secret("postgresql://db/shop"), "/{version}"))
    active = replace(deployment(1), status=Status.ACTIVE)
    puppet.show(replace(puppet.shop, service=service, deployments=(active,)))
    return puppet


@pytest.fixture
async def exported(puppet: PuppetOperations) -> AsyncIterator[CollectorRegistry]:
    registry = CollectorRegistry()
    following = asyncio.ensure_future(Figures(puppet, registry).follow())
    await follow_up()
    yield registry
    following.cancel()


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(f"bluegreen_{name}", {"service": "shop", **labels})


async def test_each_run_is_counted_from_the_first_on(
    puppet: PuppetOperations, exported: CollectorRegistry
) -> None:
    failed = {"phase": "expand", "verdict": "fail"}
    assert value(exported, "migration_runs_total", **failed) == 0
    assert value(exported, "migration_seconds_count", phase="expand") == 0
    run = puppet.want_run(Phase.EXPAND, "v2")
    await follow_up()
    assert value(exported, "migration_open", phase="expand") == 1
    assert value(exported, "migration_open", phase="contract") == 0
    puppet.end_run(run, Verdict.FAIL, "It failed")
    await follow_up()
    assert value(exported, "migration_open", phase="expand") == 0
    puppet.end_run(puppet.want_run(Phase.EXPAND, "v2"), Verdict.PASS, "It is applied", **LEFT)
    await follow_up()
    assert value(exported, "migration_runs_total", **failed) == 1
    assert value(exported, "migration_runs_total", phase="expand", verdict="pass") == 1
    assert value(exported, "migration_seconds_sum", phase="expand") == 8


async def test_what_was_run_before_is_not_counted_again(puppet: PuppetOperations) -> None:
    puppet.end_run(puppet.want_run(Phase.EXPAND, "v2"), Verdict.PASS, "It is applied")
    registry = CollectorRegistry()
    following = asyncio.ensure_future(Figures(puppet, registry).follow())
    await follow_up()
    assert value(registry, "migration_runs_total", phase="expand", verdict="pass") == 0
    following.cancel()


async def test_a_backfill_under_way(puppet: PuppetOperations, exported: CollectorRegistry) -> None:
    assert value(exported, "backfill_rows") is None
    run = puppet.want_run(Phase.BACKFILL, "v1")
    puppet.go_on(MigrationProgress("f.sql", 500, -1, 20.0))
    assert (value(exported, "backfill_rows"), value(exported, "backfill_rows_per_second")) == (500, 20)
    assert value(exported, "backfill_rows_total") is None
    puppet.go_on(MigrationProgress("f.sql", 600, 1000, 20.0))
    assert value(exported, "backfill_rows_total") == 1000
    puppet.end_run(run, Verdict.PASS, "It is done")
    assert value(exported, "backfill_rows") is None


async def test_what_is_still_to_come(puppet: PuppetOperations, exported: CollectorRegistry) -> None:
    pending = {
        phase: value(exported, "migrations_pending", phase=phase) for phase in ("backfill", "contract")
    }
    assert pending == {"backfill": 0, "contract": 0}
    puppet.end_run(puppet.want_run(Phase.EXPAND, "v1"), Verdict.PASS, "It is applied", **LEFT)
    pending = {
        phase: value(exported, "migrations_pending", phase=phase) for phase in ("backfill", "contract")
    }
    assert pending == {"backfill": 1, "contract": 1}


async def test_a_service_without_a_database_has_none_of_them(
    puppet: PuppetOperations, exported: CollectorRegistry
) -> None:
    puppet.show(replace(puppet.shop, service=SHOP))
    assert value(exported, "migration_open", phase="expand") is None
    assert value(exported, "migrations_pending", phase="contract") is None
