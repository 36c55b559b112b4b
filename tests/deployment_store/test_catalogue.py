"""What an `apply` writes: all of it or nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bluegreen.model.deployment import Status
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.environment import Environment
from bluegreen.model.errors import Conflict, Refused, UnknownName
from bluegreen.model.event import What
from bluegreen.model.service import HealthCheck, Protocol, Retries, Route, Service, Upstream
from bluegreen.model.store import CatalogueChange
from bluegreen.model.strategy import Step, Strategy
from bluegreen.model.traffic_rule import TrafficRule
from deployment_store import SqliteStore
from tests.deployment_store.samples import EDGE, SHOP, deploy, event

FULL = Service(
    name="shop",
    gateways=("edge", "sidecars"),
    domains=("shop.example", "*.shop.example"),
    routes=(Route("/api", True, 0.5, 0.0, Retries(1, False), True), Route()),
    upstream=Upstream(Protocol.GRPC, 2.0, 3.0, 4, 5, 6),
    health_check=HealthCheck("/up", 0.1, 0.2, 3, 4),
    strategy=Strategy((Step(10, 1.5), Step(50), Step(100)), 7.0, 8.0),
    keep_warm=9.0,
    endpoints={Environment.BLUE: (Endpoint("::1", 1),), Environment.GREEN: (Endpoint("b.example", 2),)},
)
SIDECARS = replace(EDGE, name="sidecars")


async def test_every_field_of_a_service_comes_back(store: SqliteStore) -> None:
    await store.change_catalogue(
        CatalogueChange(gateways=(SIDECARS,), services=(FULL,)), [event(What.APPLIED)]
    )
    aggregate = await store.load("shop")
    assert (aggregate.service, aggregate.revision) == (FULL, 1)
    assert await store.gateways() == {"edge": EDGE, "sidecars": SIDECARS}
    assert [each.what for each in await store.events("shop")] == [What.APPLIED]


@pytest.mark.parametrize("expected", [{"shop": 0}, {"shop": 2}, {}, {"shop": 1, "cart": 0}])
async def test_a_service_that_moved_on_is_a_conflict(store: SqliteStore, expected: dict[str, int]) -> None:
    aggregate = await store.load("shop")
    await store.compare_and_set(aggregate, 0, [])
    change = CatalogueChange(gateways=(SIDECARS,), services=(FULL,), expected=expected)
    with pytest.raises(Conflict, match="changed meanwhile"):
        await store.change_catalogue(change, [])
    assert await store.gateways() == {"edge": EDGE}
    assert (await store.load("shop")).service == SHOP


async def test_what_is_expected_and_what_is_new_is_written(store: SqliteStore) -> None:
    cart = replace(SHOP, name="cart")
    change = CatalogueChange(services=(replace(SHOP, keep_warm=1.0), cart), expected={"shop": 0})
    await store.change_catalogue(change, [])
    assert {name: each.revision for name, each in (await store.load_all()).items()} == {"cart": 0, "shop": 1}


async def test_a_service_in_use_is_not_removed(store: SqliteStore) -> None:
    await deploy(store, 1)
    change = CatalogueChange(gateways=(SIDECARS,), removed_services=("shop",))
    with pytest.raises(Refused, match="'shop' has an open deployment"):
        await store.change_catalogue(change, [])
    assert await store.gateways() == {"edge": EDGE}
    assert (await store.load("shop")).active is None


async def test_a_removed_service_that_returns_goes_on_with_its_numbers(store: SqliteStore) -> None:
    aggregate = await deploy(store, 1, until=Status.FAILED)
    changed = replace(aggregate, traffic=TrafficRule("shop", Environment.BLUE, 5))
    removed = await store.compare_and_set(changed, aggregate.revision, [])
    await store.change_catalogue(
        CatalogueChange(
            removed_services=("shop",), removed_gateways=("edge",), expected={"shop": removed.revision}
        ),
        [],
    )
    assert await store.load_all() == {}
    assert await store.gateways() == {}
    with pytest.raises(UnknownName, match="Known: none yet"):
        await store.compare_and_set(removed, removed.revision, [])
    assert [each.revision for each in await store.deployments("shop")] == [1]
    await store.change_catalogue(CatalogueChange(gateways=(EDGE,), services=(SHOP,), expected={}), [])
    returned = await store.load("shop")
    assert (returned.revision, returned.last_deployment_revision) == (removed.revision + 2, 1)
    assert returned.traffic == TrafficRule("shop")


async def test_gateways_and_services_hold_on_to_one_another(store: SqliteStore) -> None:
    with pytest.raises(Refused, match="'edge' still carries a service"):
        await store.change_catalogue(CatalogueChange(removed_gateways=("edge",)), [])
    with pytest.raises(Refused, match="names the gateway 'sidecars', which does not exist"):
        await store.change_catalogue(CatalogueChange(services=(FULL,)), [])
    assert (await store.load("shop")).service == SHOP
    assert await store.gateways() == {"edge": EDGE}
