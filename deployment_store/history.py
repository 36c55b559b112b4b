"""What happened: events, and all deployments and rollouts that ever were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import aiosqlite

from bluegreen.model.check import Check
from bluegreen.model.deployment import Deployment
from bluegreen.model.event import Event
from bluegreen.model.rollout import Rollout
from deployment_store.records import (
    event_row,
    insertion,
    read_check,
    read_deployment,
    read_event,
    read_rollout,
)

PRUNED_AT_ONCE = 1000
"""Events deleted in one transaction, so that pruning never keeps a cutover waiting for long."""

_EVENTS = "SELECT * FROM events WHERE id > :after ORDER BY id DESC LIMIT :limit"
_EVENTS_OF_SERVICE = """
SELECT * FROM events WHERE service = :service AND id > :after ORDER BY id DESC LIMIT :limit
"""


async def append_events(db: aiosqlite.Connection, events: Iterable[Event]) -> None:
    """Append events in their order; the database numbers them."""
    for row in map(event_row, events):
        await db.execute(insertion("events", row), row)


async def read_events(
    db: aiosqlite.Connection, service: str | None, after: int, limit: int
) -> Sequence[Event]:
    """See `Store.events`."""
    rows = await db.execute_fetchall(
        _EVENTS if service is None else _EVENTS_OF_SERVICE,
        {"service": service, "after": after, "limit": limit},
    )
    return [read_event(row) for row in rows][::-1]


async def read_deployments(db: aiosqlite.Connection, service: str, limit: int) -> Sequence[Deployment]:
    """See `Store.deployments`."""
    rows = await db.execute_fetchall(
        "SELECT * FROM deployments WHERE service = ? ORDER BY revision DESC LIMIT ?", (service, limit)
    )
    return [read_deployment(row) for row in rows]


async def read_rollouts(db: aiosqlite.Connection, service: str, limit: int) -> Sequence[Rollout]:
    """See `Store.rollouts`."""
    rows = await db.execute_fetchall(
        "SELECT * FROM rollouts WHERE service = ? ORDER BY number DESC LIMIT ?", (service, limit)
    )
    return [read_rollout(row) for row in rows]


async def read_checks(db: aiosqlite.Connection, service: str, limit: int) -> Sequence[Check]:
    """See `Store.checks`."""
    rows = await db.execute_fetchall(
        "SELECT * FROM checks WHERE service = ? ORDER BY number DESC LIMIT ?", (service, limit)
    )
    return [read_check(row) for row in rows]


async def prune_checks(db: aiosqlite.Connection, before: float) -> None:
    """Delete the verdicts from before this moment on deployments that are over."""
    await db.execute(
        """DELETE FROM checks WHERE finished_at < ? AND EXISTS (
            SELECT 1 FROM deployments WHERE deployments.service = checks.service
            AND revision = deployment AND status IN ('retired', 'failed'))""",
        (before,),
    )


async def prune(db: aiosqlite.Connection, before: float) -> int:
    """Delete some of the events from before this moment; return how many, 0 when none is left."""
    await db.execute("UPDATE retention SET events_before = max(events_before, ?)", (before,))
    await db.execute(
        "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE at < ? ORDER BY id LIMIT ?)",
        (before, PRUNED_AT_ONCE),
    )
    ((deleted,),) = await db.execute_fetchall("SELECT changes()")
    return int(deleted)
