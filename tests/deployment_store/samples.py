"""What the tests of the store put into it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.deployment import Deployment, Status
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.environment import Environment
from bluegreen.model.event import Event, Origin, What
from bluegreen.model.gateway import Gateway
from bluegreen.model.rollout import Rollout, RolloutKind
from bluegreen.model.service import Service
from bluegreen.model.store import CatalogueChange
from bluegreen.model.strategy import Step
from deployment_store import SqliteStore
from deployment_store.state_machine import next_status

OPERATOR = Origin("olga", "because")
EDGE = Gateway("edge", Endpoint("127.0.0.1", 10000), Endpoint("127.0.0.1", 10001))
SHOP = Service("shop", ("edge",), ("shop.example",))

# The ways from the beginning to each status.
WAYS: dict[Status, tuple[What, ...]] = {
    Status.DEPLOYING: (),
    Status.READY: (What.PREPARED,),
    Status.SHIFTING: (What.PREPARED, What.SHIFT_STARTED),
    Status.ACTIVE: (What.PREPARED, What.SHIFT_STARTED, What.ACTIVATED),
    Status.FAILED: (What.FAILED,),
    Status.RETIRED: (What.PREPARED, What.SUPERSEDED),
}


async def add_catalogue(store: SqliteStore) -> None:
    """One gateway and one service."""
    await store.change_catalogue(CatalogueChange(gateways=(EDGE,), services=(SHOP,)), [])


def deployment(revision: int, environment: Environment = Environment.BLUE) -> Deployment:
    """A new one."""
    return Deployment(
        service="shop",
        revision=revision,
        version=f"v{revision}",
        environment=environment,
        status=Status.DEPLOYING,
        endpoints=(Endpoint("127.0.0.1", 8000 + revision), Endpoint("::1", 80)),
        deployed_at=1000.0,
        status_since=1000.0,
    )


def rollout(number: int, candidate: int = 1) -> Rollout:
    """An open one."""
    return Rollout(number, "shop", RolloutKind.PROMOTE, candidate, None, (Step(10, 5.0), Step(100)), 1000.0)


def event(what: What, of: int | None = None, before: str = "", after: str = "", at: float = 1000.0) -> Event:
    return Event(at, "shop", what, OPERATOR, f"It is {what}.", before, after, of)


def moved(aggregate: ServiceAggregate, revision: int, what: What) -> tuple[ServiceAggregate, Event]:
    """The aggregate with one deployment moved on, and the event that accounts for it."""
    before = aggregate.deployment(revision)
    after = replace(before, status=next_status(before.status, what))
    return aggregate.with_deployment(after), event(what, revision, before.status, after.status)


async def move(store: SqliteStore, revision: int, *ways: What) -> ServiceAggregate:
    """Move a stored deployment on, one write a step."""
    aggregate = await store.load("shop")
    for what in ways:
        changed, accounts = moved(aggregate, revision, what)
        aggregate = await store.compare_and_set(changed, aggregate.revision, [accounts])
    return aggregate


async def deploy(
    store: SqliteStore,
    revision: int,
    environment: Environment = Environment.BLUE,
    until: Status = Status.READY,
) -> ServiceAggregate:
    """Store a new deployment and bring it to a status."""
    aggregate = await store.load("shop")
    new = aggregate.with_deployment(deployment(revision, environment))
    await store.compare_and_set(new, aggregate.revision, [])
    return await move(store, revision, *WAYS[until])


@contextmanager
def raw(path: Path) -> Iterator[sqlite3.Connection]:
    """The file as an operator's shell sees it."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        yield connection
    finally:
        connection.close()
