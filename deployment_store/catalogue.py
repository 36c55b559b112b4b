"""Gateways and services, as an `apply` leaves them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import aiosqlite

from bluegreen.model.errors import Conflict, Refused
from bluegreen.model.event import Event
from bluegreen.model.gateway import Gateway
from bluegreen.model.service import Service
from bluegreen.model.store import CatalogueChange
from deployment_store.history import append_events
from deployment_store.records import GATEWAY, SERVICE

_SAVE_GATEWAY = "INSERT INTO gateways VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET spec = excluded.spec"
# A service that was removed and comes back goes on with its old numbers: its revision, and those of its
# deployments, which proxies know by name.
_SAVE_SERVICE = """
INSERT INTO services (name, spec) VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET spec = excluded.spec, removed = 0, revision = revision + 1
"""


async def read_gateways(db: aiosqlite.Connection) -> dict[str, Gateway]:
    """All gateways, by name."""
    rows = await db.execute_fetchall("SELECT name, spec FROM gateways ORDER BY name")
    return {row["name"]: GATEWAY.validate_json(row["spec"]) for row in rows}


async def write_catalogue(db: aiosqlite.Connection, change: CatalogueChange, events: Sequence[Event]) -> None:
    """See `Store.change_catalogue`."""
    await _compare(db, change)
    for gateway in change.gateways:
        await db.execute(_SAVE_GATEWAY, (gateway.name, GATEWAY.dump_json(gateway).decode()))
    for service in change.services:
        await _save_service(db, service)
    for name in change.removed_services:
        await _remove_service(db, name)
    for name in change.removed_gateways:
        await _remove_gateway(db, name)
    await append_events(db, events)


async def _compare(db: aiosqlite.Connection, change: CatalogueChange) -> None:
    """Without expectations the change is written as it is. Otherwise a service that none is held of must be
    new."""
    if change.expected is None:
        return
    rows = await db.execute_fetchall("SELECT name, revision FROM services WHERE NOT removed")
    stored = {row["name"]: row["revision"] for row in rows}
    for name in {*change.expected, *change.removed_services, *(each.name for each in change.services)}:
        if stored.get(name) != change.expected.get(name):
            raise Conflict(f"Service {name!r} changed meanwhile. Look at the difference and apply again.")


async def _save_service(db: aiosqlite.Connection, service: Service) -> None:
    await db.execute(_SAVE_SERVICE, (service.name, SERVICE.dump_json(service).decode()))
    await db.execute("INSERT OR IGNORE INTO traffic_rules (service) VALUES (?)", (service.name,))
    await db.execute("DELETE FROM service_gateways WHERE service = ?", (service.name,))
    for gateway in dict.fromkeys(service.gateways):
        try:
            await db.execute("INSERT INTO service_gateways VALUES (?, ?)", (service.name, gateway))
        except sqlite3.IntegrityError as error:
            raise Refused(
                f"Service {service.name!r} names the gateway {gateway!r}, which does not exist."
            ) from error


async def _remove_service(db: aiosqlite.Connection, name: str) -> None:
    try:
        await db.execute("UPDATE services SET removed = 1, revision = revision + 1 WHERE name = ?", (name,))
    except sqlite3.IntegrityError as error:
        raise Refused(
            f"Service {name!r} has an open deployment and cannot be removed.",
            "Leave it in the service file until its deployments are over.",
        ) from error
    await db.execute("DELETE FROM service_gateways WHERE service = ?", (name,))
    await db.execute(
        "UPDATE traffic_rules SET active_environment = NULL, cutover_percent = 0 WHERE service = ?", (name,)
    )


async def _remove_gateway(db: aiosqlite.Connection, name: str) -> None:
    try:
        await db.execute("DELETE FROM gateways WHERE name = ?", (name,))
    except sqlite3.IntegrityError as error:
        raise Refused(f"Gateway {name!r} still carries a service and cannot be removed.") from error
