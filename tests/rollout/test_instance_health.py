"""What whoever provides instances says of them: how they are, and what contradicts what is known."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bluegreen.model.deployment import Deployment
from bluegreen.model.errors import Refused
from bluegreen.model.pool import InstanceState
from bluegreen.model.service import BY_PROVISIONER
from bluegreen.model.strategy import Strategy
from bluegreen.rollout import pool_decision, reconnect_grace
from bluegreen.rollout.operations import DeployCommand, ServiceView
from tests.rollout.facts import BLUE_ENDPOINTS, MANUAL_STEPS
from tests.rollout.test_controller import ANNA, Running, catalogue, control
from tests.rollout.test_pools import PROVIDED

JUDGED = replace(PROVIDED, health_check=BY_PROVISIONER)
BLUE, GREEN = ("shop", 1), ("shop", 2)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with control(tmp_path / "store.db") as each:
        await each.controller.apply(catalogue(JUDGED), ANNA)
        reports = asyncio.ensure_future(each.switch.report_now_and_then())
        yield each
        reports.cancel()


def deployed(view: ServiceView, revision: int) -> Deployment:
    return view.aggregate.deployment(revision)


async def test_an_unhealthy_instance_stays_known_and_is_told_of(running: Running) -> None:
    await running.release("v1")
    running.provisioner.become(BLUE, InstanceState.UNHEALTHY, "its disk is full", first=2)
    view = await running.until(lambda view: deployed(view, 1).up == 2)
    backend = running.switch.told[-1][1].backends[0]
    assert len(backend.endpoints) == 3
    assert backend.unhealthy == (deployed(view, 1).instances[2].endpoint,)
    assert backend.health_check == BY_PROVISIONER
    running.provisioner.become(BLUE, InstanceState.DRAINING, first=2)
    await running.until(lambda view: running.switch.told[-1][1].backends[0].draining != ())
    assert running.switch.told[-1][1].backends[0].unhealthy == ()
    running.provisioner.become(BLUE, InstanceState.UP)
    await running.until(lambda view: deployed(view, 1).up == 3)
    events = [each.message for each in await running.store.events("shop")]
    assert any("2 of 3 instances are up; i3: its disk is full" in each for each in events)


async def test_a_version_waits_until_all_its_instances_are_healthy(running: Running) -> None:
    running.provisioner.state = InstanceState.UNHEALTHY
    await running.controller.deploy(DeployCommand("shop", "v1"), ANNA)
    await running.until(lambda view: "0 of 3 instances are up; i1, i2, i3: unhealthy" in view.activity)
    running.provisioner.become(BLUE, InstanceState.UP)
    await running.status(1, "ready")


async def test_no_step_begins_before_all_are_healthy(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconnect_grace, "SETTLING", 0.1)
    quick = replace(MANUAL_STEPS, step_deadline=0.3, ready_deadline=0.3)
    await running.controller.apply(catalogue(replace(JUDGED, strategy=quick)), ANNA)
    await running.release("v1")
    await running.controller.deploy(DeployCommand("shop", "v2"), ANNA)
    await running.status(2, "ready")
    running.provisioner.become(GREEN, InstanceState.UNHEALTHY, first=2)
    await running.until(lambda view: deployed(view, 2).up == 2)
    await running.controller.promote("shop", ANNA)
    view = await running.until(lambda v: bool(v.aggregate.open_rollout and v.aggregate.open_rollout.paused))
    assert "sees 2 of 3 instances healthy" in view.activity
    assert running.switch.weights() == {"blue": 100, "green": 0}
    running.provisioner.become(GREEN, InstanceState.UP)
    await running.until(lambda view: deployed(view, 2).up == 3)
    await running.controller.resume("shop", ANNA)
    await running.until(lambda view: running.switch.weights()["green"] == 10)


async def test_what_the_proxies_have_yet_to_report_holds_a_step_up_too(running: Running) -> None:
    await running.controller.apply(catalogue(replace(JUDGED, strategy=MANUAL_STEPS)), ANNA)
    await running.release("v1")
    await running.controller.deploy(DeployCommand("shop", "v2"), ANNA)
    await running.status(2, "ready")
    running.switch.counts_sick = True  # as they do until their next report
    running.provisioner.become(GREEN, InstanceState.UNHEALTHY, first=2)
    await running.until(lambda view: deployed(view, 2).up == 2)
    await running.controller.promote("shop", ANNA)
    await running.until(lambda view: "yet to report that only 2 of 3 instances are up" in view.activity)
    assert running.switch.weights() == {"blue": 100, "green": 0}


async def test_one_that_never_gets_healthy_fails_with_who_it_is(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconnect_grace, "SETTLING", 0.1)
    quick = replace(JUDGED, strategy=Strategy(ready_deadline=0.2))
    await running.controller.apply(catalogue(quick), ANNA)
    running.provisioner.state = InstanceState.UNHEALTHY
    await running.controller.deploy(DeployCommand("shop", "v1"), ANNA)
    await running.until(lambda view: not view.aggregate.deployments)
    (gone,) = await running.store.deployments("shop")
    assert gone.status == "failed"
    assert "0 of 3 instances are up; i1, i2, i3: unhealthy" in gone.note


async def test_endpoints_are_not_handed_in_where_nobody_would_judge_them(running: Running) -> None:
    with pytest.raises(Refused, match="health_check: provisioner"):
        await running.controller.deploy(DeployCommand("shop", "v1", BLUE_ENDPOINTS), ANNA)


async def test_instances_of_the_other_environment_fail_a_candidate(running: Running) -> None:
    await running.release("v1")
    taken = running.provisioner.pools[BLUE][1]
    running.provisioner.pools[GREEN] = [replace(taken, id="mine")]
    await running.controller.deploy(DeployCommand("shop", "v2"), ANNA)
    await running.until(lambda view: not any(each.revision == 2 for each in view.aggregate.deployments))
    newest, active = await running.store.deployments("shop")
    assert newest.note == (
        f"{taken.endpoint} serves v1 on blue already: green needs instances of its own. "
        "Nothing is stopped of what there is: it may be theirs."
    )
    assert running.provisioner.stopped == []
    assert running.provisioner.left_alone == [GREEN]
    assert (newest.status, active.status) == ("failed", "active")
    # At no moment did a proxy hear of them as of green.
    assert all(
        taken.endpoint not in backend.endpoints
        for _, traffic in running.switch.told
        for backend in traffic.backends
        if backend.revision == 2
    )


async def test_an_active_version_keeps_what_it_has_and_tells(running: Running) -> None:
    await running.release("v1")
    await running.controller.deploy(DeployCommand("shop", "v2"), ANNA)
    before = deployed(await running.status(2, "ready"), 1)
    theirs = running.provisioner.pools[GREEN][0].endpoint
    good = running.provisioner.pools[BLUE][2]
    running.provisioner.pools[BLUE][2] = replace(good, endpoint=theirs)
    running.provisioner.become(BLUE, InstanceState.UP)
    view = await running.until(lambda view: deployed(view, 1).note != "")
    assert deployed(view, 1).note == f"{theirs} serves v2 on green already: blue needs instances of its own."
    assert deployed(view, 1).instances == before.instances
    assert deployed(view, 2).note == ""
    running.provisioner.pools[BLUE][2] = good
    running.provisioner.become(BLUE, InstanceState.UP)
    await running.until(lambda view: deployed(view, 1).note == "")


async def test_an_endpoint_that_is_there_twice_is_none(running: Running) -> None:
    await running.controller.deploy(DeployCommand("shop", "v1"), ANNA)
    await running.status(1, "ready")
    first, *others = running.provisioner.pools[BLUE]
    running.provisioner.pools[BLUE] = [first, *(replace(each, endpoint=first.endpoint) for each in others)]
    running.provisioner.become(BLUE, InstanceState.UP)
    view = await running.until(lambda view: deployed(view, 1).note != "")
    assert deployed(view, 1).note == f"{first.endpoint} stands among its instances twice."
    assert len(deployed(view, 1).endpoints) == 3


async def test_one_that_cannot_be_had_is_replaced_in_a_version_that_was_ready(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    await running.release("v1")
    running.provisioner.become(BLUE, InstanceState.FAILED, "no quota is left", first=2)
    view = await running.until(lambda view: deployed(view, 1).up == 2)
    assert "2 of 3 instances are up; i3: no quota is left" in view.activity
    since = deployed(view, 1).instances[2].since
    assert since > deployed(view, 1).deployed_at, "its time begins when it is heard of"
    running.provisioner.become(BLUE, InstanceState.FAILED, "still none", first=2)
    view = await running.until(lambda view: deployed(view, 1).instances[2].note == "still none")
    assert deployed(view, 1).instances[2].since == since, "its time does not begin anew"
    assert running.provisioner.stopped == []
    monkeypatch.setattr(pool_decision, "REPLACE_FAILED_AFTER", 0.0)
    running.provisioner.become(BLUE, InstanceState.FAILED, "none at all", first=2)
    view = await running.until(lambda view: deployed(view, 1).up == 3)
    await running.until(lambda view: deployed(view, 1).leaving == ())
    assert running.provisioner.stopped == ["i3"]
    assert [each.id for each in deployed(view, 1).instances if each.state == "up"] == ["i1", "i2", "i4"]


async def test_a_standby_with_one_that_cannot_be_had_ends_its_warm_time_all_the_same(
    running: Running,
) -> None:
    await running.controller.apply(catalogue(replace(JUDGED, keep_warm=0.3)), ANNA)
    await running.release("v1")
    await running.release("v2")
    running.provisioner.become(BLUE, InstanceState.FAILED, "gone", first=2)
    await running.until(lambda view: not any(each.revision == 1 for each in view.aggregate.deployments))


async def test_a_failed_deployment_is_retried_with_instances_of_its_own(running: Running) -> None:
    running.provisioner.state = InstanceState.STARTING
    await running.controller.deploy(DeployCommand("shop", "v1"), ANNA)
    await running.until(lambda view: len(deployed(view, 1).instances) == 3)
    first, second, third = running.provisioner.pools[BLUE]
    up, failed = InstanceState.UP, InstanceState.FAILED
    running.provisioner.pools[BLUE] = [replace(first, state=up), replace(second, state=up), third]
    running.provisioner.become(BLUE, failed, "exited", first=2)
    await running.until(lambda view: not view.aggregate.deployments)
    (gone,) = await running.store.deployments("shop")
    assert gone.endpoints, "some of its instances were up"
    running.provisioner.state = InstanceState.UP
    await running.controller.retry("shop", ANNA)
    view = await running.status(2, "ready")
    assert deployed(view, 2).provisioning is not None
    assert len(deployed(view, 2).instances) == 3
