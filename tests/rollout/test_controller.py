"""The controller over a real SQLite file, with a simulated fleet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bluegreen.model.catalogue import Catalogue, ChangeKind
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.errors import InvalidInput, Refused, UnknownName
from bluegreen.model.event import Origin, What
from bluegreen.model.gateway import Gateway
from bluegreen.model.migration import Migrator
from bluegreen.model.service import Drain, Service
from bluegreen.rollout.clock import SystemClock
from bluegreen.rollout.controller import Controller
from bluegreen.rollout.operations import DeployCommand, ServiceView
from bluegreen.rollout.outside import Outside
from deployment_store import SqliteStore
from tests.rollout.facts import MANUAL_STEPS, shop
from tests.rollout.scripted_checker import ScriptedChecker
from tests.rollout.scripted_provisioner import ScriptedProvisioner
from tests.rollout.simulated_switch import SimulatedSwitch
from tests.support.unmigrated import Unmigrated

ANNA, BERT = Origin("anna", "release"), Origin("bert")
EDGE = Gateway("edge", Endpoint("127.0.0.1", 10000), Endpoint("127.0.0.1", 10001))
QUICK = replace(shop(), drain=Drain(grace=0.0, deadline=5.0))


class Running:
    def __init__(
        self, store: SqliteStore, switch: SimulatedSwitch, controller: Controller, outside: Outside
    ) -> None:
        self.store, self.switch, self.controller = store, switch, controller
        assert isinstance(outside.checker, ScriptedChecker)
        assert isinstance(outside.provisioner, ScriptedProvisioner)
        self.checker, self.provisioner = outside.checker, outside.provisioner

    async def until(self, holds: Callable[[ServiceView], bool], timeout: float = 5.0) -> ServiceView:
        changes = self.controller.changes()
        view = self.controller.view("shop")
        async with asyncio.timeout(timeout):
            while not holds(view):
                await anext(changes)
                view = self.controller.view("shop")
        return view

    async def status(self, revision: int, status: str) -> ServiceView:
        return await self.until(
            lambda view: any(
                d.revision == revision and d.status == status for d in view.aggregate.deployments
            )
        )

    async def release(self, version: str) -> int:
        result = await self.controller.deploy(DeployCommand("shop", version), ANNA)
        assert result.deployment is not None
        await self.status(result.deployment, "ready")
        await self.controller.promote("shop", ANNA, full=True)
        await self.status(result.deployment, "active")
        return result.deployment


@asynccontextmanager
async def control(
    path: Path, provisioner: ScriptedProvisioner | None = None, migrator: Migrator | None = None
) -> AsyncIterator[Running]:
    async with SqliteStore.open(path) as store:
        clock = SystemClock()
        switch = SimulatedSwitch(clock)
        outside = Outside(ScriptedChecker(), provisioner or ScriptedProvisioner(), migrator or Unmigrated())
        controller = Controller(store, switch, clock, outside)
        await controller.start()
        task = asyncio.ensure_future(controller.run())
        try:
            yield Running(store, switch, controller, outside)
        finally:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task


def catalogue(*services: Service) -> Catalogue:
    return Catalogue({"edge": EDGE}, {each.name: each for each in services})


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with control(tmp_path / "store.db") as each:
        await each.controller.apply(catalogue(QUICK), ANNA)
        yield each


async def test_a_release_and_its_rollback(running: Running) -> None:
    await running.release("v1")
    await running.release("v2")
    assert running.switch.weights() == {"blue": 0, "green": 100}
    await running.controller.rollback("shop", BERT)
    await running.status(1, "active")
    assert running.switch.weights() == {"blue": 100, "green": 0}
    events = await running.store.events("shop")
    rolled_back = [each for each in events if each.what is What.WEIGHT_SET and each.origin.actor == "bert"]
    assert len(rolled_back) == 1


async def test_the_switch_hears_of_nothing_that_is_not_durable(running: Running) -> None:
    await running.release("v1")
    await running.controller.deploy(DeployCommand("shop", "v2"), ANNA)
    await running.status(2, "ready")
    running.switch.silent.add("edge-2")
    await running.controller.promote("shop", ANNA)
    await running.until(lambda view: "edge-2" in view.activity)
    stored = await running.store.load("shop")
    assert stored.open_rollout is not None
    assert stored.traffic.cutover_percent == running.switch.weights()["green"]
    running.switch.speak("edge-2")
    await running.status(2, "active")


async def test_weights_move_by_the_verb_for_weights(running: Running) -> None:
    await running.release("v1")
    await running.controller.deploy(DeployCommand("shop", "v2"), ANNA)
    await running.status(2, "ready")
    running.switch.told.clear()
    await running.controller.promote("shop", ANNA)
    await running.status(2, "active")
    verbs = [verb for verb, _ in running.switch.told]
    assert verbs[0] == "set_weights"
    assert "retire" not in verbs


async def test_of_two_operators_at_once_one_wins_and_the_other_is_told(running: Running) -> None:
    await running.controller.apply(catalogue(replace(QUICK, strategy=MANUAL_STEPS)), ANNA)
    await running.release("v1")
    outcomes = await asyncio.gather(
        running.controller.deploy(DeployCommand("shop", "v2"), ANNA),
        running.controller.deploy(DeployCommand("shop", "v3"), BERT),
        return_exceptions=True,
    )
    refused = [each for each in outcomes if isinstance(each, Refused)]
    assert len(refused) == 1
    assert "still deploying" in str(refused[0])


async def test_a_restarted_controller_says_the_same_again(tmp_path: Path) -> None:
    async with control(tmp_path / "store.db") as first:
        await first.controller.apply(catalogue(replace(QUICK, strategy=MANUAL_STEPS)), ANNA)
        await first.release("v1")
        await first.controller.deploy(DeployCommand("shop", "v2"), ANNA)
        await first.status(2, "ready")
        await first.controller.promote("shop", ANNA)
        await first.until(lambda view: "Holds at 10 %" in view.activity)
        said = first.switch.told[-1][1]
    async with control(tmp_path / "store.db") as second:
        assert second.switch.told[-1] == ("restore", said)
        await second.until(lambda view: "Holds at 10 %" in view.activity)
        await second.controller.promote("shop", ANNA, full=True)
        await second.status(2, "active")


async def test_unknown_names_are_told_with_those_that_are_known(running: Running) -> None:
    with pytest.raises(UnknownName, match=r"no service 'shpo'.*Known: shop"):
        await running.controller.promote("shpo", ANNA)
    with pytest.raises(UnknownName, match="proxy"):
        await running.controller.forget_proxy("nobody", ANNA)


async def test_apply_is_idempotent_and_a_dry_run_changes_nothing(running: Running) -> None:
    assert await running.controller.apply(catalogue(QUICK), ANNA) == []
    changed = catalogue(replace(QUICK, keep_warm=60.0))
    planned = await running.controller.apply(changed, ANNA, dry_run=True)
    assert [each.path for each in planned] == ["services.shop.keep_warm"]
    assert running.controller.view("shop").aggregate.service.keep_warm == QUICK.keep_warm
    await running.controller.apply(changed, ANNA)
    assert running.controller.view("shop").aggregate.service.keep_warm == 60.0


async def test_a_service_with_deployments_is_not_pruned(running: Running) -> None:
    other = replace(QUICK, name="cart", domains=("cart.example.com",))
    await running.controller.apply(catalogue(other), ANNA)
    assert running.controller.services() == ["cart", "shop"], "apply alone removes nothing"
    await running.release("v1")
    with pytest.raises(Refused, match="cannot be removed while it has deployments: v1 on blue"):
        await running.controller.apply(catalogue(other), ANNA, prune=True)
    removed = await running.controller.apply(catalogue(QUICK), ANNA, prune=True)
    assert [(each.kind, each.path) for each in removed] == [(ChangeKind.REMOVED, "services.cart")]
    assert running.controller.services() == ["shop"]


async def test_two_services_on_one_path_are_refused_with_both_names(running: Running) -> None:
    twin = replace(QUICK, name="twin")
    with pytest.raises(InvalidInput, match=r"shop.*twin|twin.*shop"):
        await running.controller.apply(catalogue(twin), ANNA)
    assert running.controller.services() == ["shop"]


async def test_a_command_that_is_sent_twice_acts_once(running: Running) -> None:
    await running.release("v1")
    once = Origin("anna", key="a-key")
    first = await running.controller.deploy(DeployCommand("shop", "v2"), once)
    again = await running.controller.deploy(DeployCommand("shop", "v2"), once)
    assert again == first
    assert first.deployment == 2
    await running.status(2, "ready")
    assert await running.controller.deploy(DeployCommand("shop", "v2"), once) == first, "and not superseded"
    assert running.controller.view("shop").aggregate.last_deployment_revision == 2


async def test_a_key_belongs_to_one_service(running: Running) -> None:
    other = replace(QUICK, name="cart", domains=("cart.example.com",))
    await running.controller.apply(catalogue(other), ANNA)
    once = Origin("anna", key="a-key")
    await running.controller.deploy(DeployCommand("shop", "v1"), once)
    with pytest.raises(InvalidInput, match="was used for a command to shop"):
        await running.controller.deploy(DeployCommand("cart", "v1"), once)


async def test_events_tell_the_traffic_around_them(running: Running) -> None:
    await running.release("v1")
    await running.release("v2")
    events = {
        each.rollout: each for each in await running.store.events("shop") if each.what is What.WEIGHT_SET
    }
    assert (events[1].traffic_before, events[1].traffic_after) == ("", "blue 100")
    assert (events[2].traffic_before, events[2].traffic_after) == ("blue 100", "green 100")
    assert events[1].snapshot != events[2].snapshot
