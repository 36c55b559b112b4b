"""What environments cost, as Prometheus is told it: of a real controller with a simulated fleet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.pool import InstanceState
from bluegreen.model.provisioning import ProcessTemplate, Provisioning
from bluegreen.model.service import Drain
from bluegreen.model.traffic_rule import TrafficRule
from bluegreen.rollout.operations import DeployCommand
from bluegreen.telemetry.figures import Figures
from bluegreen.telemetry.pool_figures import PoolFigures
from tests.rollout.test_controller import ANNA, QUICK, Running, catalogue, control
from tests.telemetry.test_gate_figures import follow_up

SOURCE = Provisioning(ProcessTemplate(("shop",)), instances=3, standby_capacity=50)
PROVIDED = replace(QUICK, provisioning=SOURCE, drain=Drain(0.0, 0.3), endpoints={}, keep_warm=0.1)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with control(tmp_path / "store.db") as each:
        await each.controller.apply(catalogue(PROVIDED), ANNA)
        reports = asyncio.ensure_future(each.switch.report_now_and_then())
        yield each
        reports.cancel()


@pytest.fixture
async def exported(running: Running) -> AsyncIterator[CollectorRegistry]:
    registry = CollectorRegistry()
    following = asyncio.ensure_future(Figures(running.controller, registry).follow())
    await asyncio.sleep(0)  # it has begun
    yield registry
    following.cancel()


def instances(registry: CollectorRegistry, environment: str, state: str) -> float | None:
    labels = {"service": "shop", "environment": environment, "state": state}
    return registry.get_sample_value("bluegreen_instances", labels)


def wanted(registry: CollectorRegistry, environment: str) -> float | None:
    labels = {"service": "shop", "environment": environment}
    return registry.get_sample_value("bluegreen_instances_wanted", labels)


def of_shop(registry: CollectorRegistry, name: str) -> float | None:
    return registry.get_sample_value(name, {"service": "shop"})


async def test_the_second_environment_has_its_price(running: Running, exported: CollectorRegistry) -> None:
    assert instances(exported, "green", "up") == wanted(exported, "green") == 0
    await running.release("v1")
    await running.release("v2")
    assert instances(exported, "green", "up") == wanted(exported, "green") == 3
    await running.until(lambda view: len(view.aggregate.deployment(1).instances) == 2)
    assert instances(exported, "blue", "up") == wanted(exported, "blue") == 2
    running.provisioner.become(("shop", 2), InstanceState.WAITING, first=2)
    await running.until(lambda view: len(view.aggregate.deployment(2).endpoints) == 2)
    assert (instances(exported, "green", "up"), instances(exported, "green", "waiting")) == (2, 1)
    assert wanted(exported, "green") == 3


async def test_what_was_handed_in_counts_too(running: Running, exported: CollectorRegistry) -> None:
    await running.controller.apply(catalogue(QUICK), ANNA)
    await running.release("v1")
    given = wanted(exported, "blue")
    assert given
    assert instances(exported, "blue", "handed-in") == given


async def test_drift_is_a_number(running: Running, exported: CollectorRegistry) -> None:
    await running.release("v1")
    assert of_shop(exported, "bluegreen_disparities") == 0
    other = replace(PROVIDED, upstream=replace(PROVIDED.upstream, max_requests=5), health_check=None)
    await running.controller.apply(catalogue(other), ANNA)
    await running.controller.deploy(DeployCommand("shop", "v2"), ANNA)
    await running.status(2, "ready")
    assert of_shop(exported, "bluegreen_disparities") == 2


async def test_the_time_that_a_scale_up_takes(running: Running, exported: CollectorRegistry) -> None:
    assert of_shop(exported, "bluegreen_scale_up_seconds_count") == 0
    await running.release("v1")
    await follow_up()
    assert of_shop(exported, "bluegreen_scale_up_seconds_count") == 1
    running.provisioner.become(("shop", 1), InstanceState.WAITING, first=2)
    await running.until(lambda view: len(view.aggregate.deployment(1).endpoints) == 2)
    running.provisioner.become(("shop", 1), InstanceState.UP)
    await running.until(lambda view: len(view.aggregate.deployment(1).endpoints) == 3)
    await running.controller.scale("shop", 2, ANNA)
    await running.until(lambda view: len(view.aggregate.deployment(1).instances) == 2)
    await follow_up()
    assert of_shop(exported, "bluegreen_scale_up_seconds_count") == 1, "neither is one"
    await running.controller.scale("shop", 4, ANNA)
    await running.until(lambda view: len(view.aggregate.deployment(1).endpoints) == 4)
    await follow_up()
    assert of_shop(exported, "bluegreen_scale_up_seconds_count") == 2


async def test_restarts_are_counted_from_the_first_on(running: Running) -> None:
    await running.release("v1")
    registry = CollectorRegistry()
    figures = PoolFigures(registry)
    labels = {"service": "shop", "environment": "blue"}

    def restarts() -> float | None:
        return registry.get_sample_value("bluegreen_instance_restarts_total", labels)

    figures.begin(_restarted(running, 2))
    assert restarts() == 0
    figures.note(_restarted(running, 5))
    figures.note(_restarted(running, 5))
    assert restarts() == 3
    figures.note(ServiceAggregate(PROVIDED, TrafficRule("shop")))
    figures.note(_restarted(running, 1))
    assert restarts() == 4


async def test_each_change_of_an_instance_is_counted(running: Running, exported: CollectorRegistry) -> None:
    def changes(state: str) -> float | None:
        labels = {"service": "shop", "environment": "blue", "state": state}
        return exported.get_sample_value("bluegreen_instance_changes_total", labels)

    assert changes("unhealthy") == changes("gone") == 0
    await running.release("v1")
    await follow_up()
    assert changes("up") == 3
    running.provisioner.become(("shop", 1), InstanceState.UNHEALTHY, first=1)
    await running.until(lambda view: view.aggregate.deployment(1).up == 1)
    running.provisioner.become(("shop", 1), InstanceState.UP)
    await running.until(lambda view: view.aggregate.deployment(1).up == 3)
    await follow_up()
    assert (changes("unhealthy"), changes("up")) == (2, 5)
    del running.provisioner.pools[("shop", 1)][0]
    running.provisioner.become(("shop", 1), InstanceState.UP)
    await running.until(lambda view: view.aggregate.deployment(1).instances[-1].id == "i4")
    await running.controller.scale("shop", 1, ANNA)
    await running.until(lambda view: len(view.aggregate.deployment(1).instances) == 1)
    await follow_up()
    assert (changes("gone"), changes("up")) == (1, 6), "those that were asked to leave are none"


def _restarted(running: Running, times: int) -> ServiceAggregate:
    aggregate = running.controller.aggregate("shop")
    deployment = aggregate.deployment(1)
    first, *others = deployment.instances
    return aggregate.with_deployment(replace(deployment, instances=(replace(first, restarts=times), *others)))
