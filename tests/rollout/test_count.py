"""`count` in the service file: an apply that changes it scales both environments."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bluegreen.model.errors import Refused
from bluegreen.model.pool import InstanceState
from bluegreen.model.provisioning import Provisioning
from bluegreen.model.service import Service
from bluegreen.rollout.operations import DeployCommand, ServiceView
from tests.rollout.facts import MANUAL_STEPS
from tests.rollout.test_controller import ANNA, Running, catalogue, control
from tests.rollout.test_pools import PROVIDED, SOURCE


def of(count: int, *, standby: int = 0, **changes: object) -> Service:
    provisioning = Provisioning(SOURCE, count, standby_capacity=standby)
    return replace(PROVIDED, provisioning=provisioning, **changes)  # type: ignore[arg-type]


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with control(tmp_path / "store.db") as each:
        await each.controller.apply(catalogue(PROVIDED), ANNA)
        reports = asyncio.ensure_future(each.switch.report_now_and_then())
        yield each
        reports.cancel()


def up(view: ServiceView) -> list[int]:
    """How many there are of each version, none of them leaving."""
    return [each.up if not each.leaving else -1 for each in view.aggregate.deployments]


async def test_both_environments_follow(running: Running) -> None:
    await running.release("v1")
    await running.release("v2")
    await running.controller.apply(catalogue(of(5)), ANNA)
    await running.until(lambda view: up(view) == [5, 5])
    await running.controller.apply(catalogue(of(1)), ANNA)
    await running.until(lambda view: up(view) == [1, 1])
    scaled = [each.message for each in await running.store.events("shop") if each.what == "scaled"]
    assert scaled[0] == ("v1 on blue shall have 5 instances (now 3): the service file says 5 instead of 3.")


async def test_what_scale_asked_for_holds_until_count_changes(running: Running) -> None:
    await running.release("v1")
    await running.controller.scale("shop", 4, ANNA)
    await running.until(lambda view: up(view) == [4])
    await running.controller.apply(catalogue(of(3, keep_warm=99.0)), ANNA)
    assert running.controller.aggregate("shop").active is not None
    await running.controller.deploy(DeployCommand("shop", "v2"), ANNA)
    await running.status(2, "ready")
    await running.until(lambda view: up(view) == [4, 4])
    await running.controller.apply(catalogue(of(2)), ANNA)
    await running.until(lambda view: up(view) == [2, 2])


async def test_a_standby_that_rests_keeps_its_part(running: Running) -> None:
    await running.controller.apply(catalogue(of(4, standby=50, keep_warm=0.1)), ANNA)
    await running.release("v1")
    await running.release("v2")
    await running.until(lambda view: up(view) == [2, 4])
    await running.controller.apply(catalogue(of(6, standby=50, keep_warm=0.1)), ANNA)
    view = await running.until(lambda view: up(view) == [3, 6])
    assert [each.full_capacity for each in view.aggregate.deployments] == [6, 6]


async def test_a_candidate_follows_before_it_is_ready(running: Running) -> None:
    await running.release("v1")
    running.provisioner.state = InstanceState.STARTING
    await running.controller.deploy(DeployCommand("shop", "v2"), ANNA)
    await running.controller.apply(catalogue(of(4)), ANNA)
    await running.until(lambda view: [len(each.instances) for each in view.aggregate.deployments] == [4, 4])
    for revision in (1, 2):
        running.provisioner.become(("shop", revision), InstanceState.UP)
    await running.status(2, "ready")


async def test_it_is_refused_while_a_rollout_is_open(running: Running) -> None:
    await running.controller.apply(catalogue(of(3, strategy=MANUAL_STEPS)), ANNA)
    await running.release("v1")
    await running.controller.deploy(DeployCommand("shop", "v2"), ANNA)
    await running.status(2, "ready")
    await running.controller.promote("shop", ANNA)
    await running.until(lambda view: running.switch.weights()["green"] == 10)
    with pytest.raises(Refused, match="cannot go from 3 to 5 instances while rollout 2 is open"):
        await running.controller.apply(catalogue(of(5, strategy=MANUAL_STEPS)), ANNA)
    await running.controller.apply(catalogue(of(3, strategy=MANUAL_STEPS, keep_warm=5.0)), ANNA)


async def test_a_control_plane_that_was_killed_in_between_follows_when_it_is_back(tmp_path: Path) -> None:
    async with control(tmp_path / "store.db") as before:
        await before.controller.apply(catalogue(PROVIDED), ANNA)
        await before.release("v1")
        aggregate = before.controller.aggregate("shop")
        provisioner = before.provisioner
    # As it is when the description was written, and nothing of what follows from it.
    async with control(tmp_path / "store.db", provisioner) as between:
        stored = await between.store.load("shop")
        assert stored.deployments == aggregate.deployments
        await between.controller.apply(catalogue(of(5)), ANNA)
    async with control(tmp_path / "store.db", provisioner) as after:
        await after.until(lambda view: up(view) == [5])
