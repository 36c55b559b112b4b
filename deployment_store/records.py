"""Domain objects as rows, and back. The columns of a table are the fields of its dataclass.

What is read is tolerant, so that a change of the model needs no rewriting of stored JSON: a field that is
missing takes its default, and one that the model has dropped is passed over. A newer bluegreen's file, whose
fields would be lost that way, is not opened at all (see `migration`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter

from bluegreen.model.check import Check
from bluegreen.model.deployment import Deployment
from bluegreen.model.event import Event, Origin
from bluegreen.model.gateway import Gateway
from bluegreen.model.known_proxy import KnownProxy
from bluegreen.model.migration import AppliedMigration
from bluegreen.model.migration_run import MigrationRun
from bluegreen.model.rollout import Rollout
from bluegreen.model.service import Service

Row = dict[str, Any]

SERVICE = TypeAdapter(Service)
GATEWAY = TypeAdapter(Gateway)
_DEPLOYMENT = TypeAdapter(Deployment)
_JSON_OF_DEPLOYMENT = (
    *("endpoints", "upstream", "health_check"),
    *("provisioning", "instances", "leaving", "gone"),
)
_ROLLOUT = TypeAdapter(Rollout)
_EVENT = TypeAdapter(Event)
_CHECK = TypeAdapter(Check)
_RUN = TypeAdapter(MigrationRun)
_JSON_OF_RUN = ("findings", "backfills_left", "contracts_left")
_APPLIED = TypeAdapter(AppliedMigration)
_PROXY = TypeAdapter(KnownProxy)


def deployment_row(deployment: Deployment) -> Row:
    row: Row = _DEPLOYMENT.dump_python(deployment, mode="json")
    return row | {column: json.dumps(row[column]) for column in _JSON_OF_DEPLOYMENT}


def read_deployment(row: sqlite3.Row) -> Deployment:
    return _DEPLOYMENT.validate_python(
        dict(row) | {column: json.loads(row[column]) for column in _JSON_OF_DEPLOYMENT}
    )


def rollout_row(rollout: Rollout) -> Row:
    row: Row = _ROLLOUT.dump_python(rollout, mode="json")
    return row | {"number": row.pop("id"), "steps": json.dumps(row["steps"])}


def read_rollout(row: sqlite3.Row) -> Rollout:
    return _ROLLOUT.validate_python(dict(row) | {"id": row["number"], "steps": json.loads(row["steps"])})


def check_row(check: Check) -> Row:
    row: Row = _CHECK.dump_python(check, mode="json")
    return row | {"number": row.pop("id"), "findings": json.dumps(row["findings"])}


def read_check(row: sqlite3.Row) -> Check:
    return _CHECK.validate_python(dict(row) | {"id": row["number"], "findings": json.loads(row["findings"])})


def run_row(run: MigrationRun) -> Row:
    row: Row = _RUN.dump_python(run, mode="json")
    return row | {"number": row.pop("id")} | {column: json.dumps(row[column]) for column in _JSON_OF_RUN}


def read_run(row: sqlite3.Row) -> MigrationRun:
    columns = {column: json.loads(row[column]) for column in _JSON_OF_RUN}
    return _RUN.validate_python(dict(row) | {"id": row["number"]} | columns)


def applied_row(service: str, applied: AppliedMigration) -> Row:
    row: Row = _APPLIED.dump_python(applied, mode="json")
    return {"service": service, **row.pop("migration"), **row}


def read_applied(row: sqlite3.Row) -> AppliedMigration:
    name = {column: row[column] for column in ("number", "name", "phase")}
    return _APPLIED.validate_python(dict(row) | {"migration": name})


def event_row(event: Event) -> Row:
    return {
        "at": event.at,
        "service": event.service,
        "what": event.what.value,
        "before": event.before,
        "after": event.after,
        "actor": event.origin.actor,
        "reason": event.origin.reason,
        "message": event.message,
        "deployment": event.deployment,
        "rollout": event.rollout,
        "traffic_before": event.traffic_before,
        "traffic_after": event.traffic_after,
        "snapshot": event.snapshot,
    }


def read_event(row: sqlite3.Row) -> Event:
    return _EVENT.validate_python(dict(row) | {"origin": Origin(row["actor"], row["reason"])})


def proxy_row(proxy: KnownProxy) -> Row:
    row: Row = _PROXY.dump_python(proxy)
    return row


def read_proxy(row: sqlite3.Row) -> KnownProxy:
    return _PROXY.validate_python(dict(row))


# Values are always parameters; the names of tables and columns come from this package and the model alone.


def insertion(table: str, row: Row) -> str:
    """The INSERT of a row, with its columns as named parameters."""
    return f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(f':{column}' for column in row)})"  # noqa: S608


def update(table: str, row: Row, key: Sequence[str]) -> str:
    """The UPDATE of the row with this key, with the columns as named parameters."""
    changes = ", ".join(f"{column} = :{column}" for column in row if column not in key)
    return f"UPDATE {table} SET {changes} WHERE {' AND '.join(f'{column} = :{column}' for column in key)}"  # noqa: S608
