"""Instances that are provided: as many as are wanted, never more stopped than nobody knows any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bluegreen.model.deployment import Deployment
from bluegreen.model.errors import Refused, UnknownName
from bluegreen.model.event import Origin
from bluegreen.model.pool import InstanceState
from bluegreen.model.provisioning import EndpointsFile, ProcessTemplate, Provisioning
from bluegreen.model.service import Drain
from bluegreen.model.strategy import Strategy
from bluegreen.rollout.operations import DeployCommand, ServiceView
from tests.rollout.test_controller import ANNA, QUICK, Running, catalogue, control

SOURCE = ProcessTemplate(("shop",))
PROVIDED = replace(
    QUICK,
    provisioning=Provisioning(SOURCE, instances=3),
    drain=Drain(grace=0.0, deadline=0.3),
    strategy=Strategy(ready_deadline=3.0),
    endpoints={},
)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with control(tmp_path / "store.db") as each:
        await each.controller.apply(catalogue(PROVIDED), ANNA)
        reports = asyncio.ensure_future(each.switch.report_now_and_then())
        yield each
        reports.cancel()


def deployed(view: ServiceView, revision: int) -> Deployment:
    return view.aggregate.deployment(revision)


async def test_a_version_is_ready_once_all_its_instances_are_up(running: Running) -> None:
    running.provisioner.state = InstanceState.STARTING
    await running.controller.deploy(DeployCommand("shop", "v1"), ANNA)
    view = await running.until(lambda view: len(deployed(view, 1).instances) == 3)
    assert deployed(view, 1).endpoints == ()
    assert "0 of 3 instances are up" in (await running.until(lambda v: "0 of 3" in v.activity)).activity
    running.provisioner.become(("shop", 1), InstanceState.UP)
    view = await running.status(1, "ready")
    assert len(deployed(view, 1).endpoints) == 3


async def test_what_is_not_known_of_instances_is_said(running: Running) -> None:
    running.provisioner.forget(("shop", 1))
    await running.controller.deploy(DeployCommand("shop", "v1"), ANNA)
    await running.until(lambda v: "0 of 3 instances are up; its process has told of none" in v.activity)


async def test_instances_that_cannot_be_had_fail_the_deployment_with_their_last_words(
    running: Running,
) -> None:
    running.provisioner.state = InstanceState.STARTING
    await running.controller.deploy(DeployCommand("shop", "v1"), ANNA)
    await running.until(lambda view: len(deployed(view, 1).instances) == 3)
    running.provisioner.become(("shop", 1), InstanceState.FAILED, "exited with status 1: no such file")
    await running.until(lambda view: not any(d.revision == 1 for d in view.aggregate.deployments))
    (gone,) = await running.store.deployments("shop")
    assert (gone.status, gone.stopped_at is not None) == ("failed", True)
    assert "exited with status 1: no such file" in gone.note
    assert len(running.provisioner.stopped) == 3
    (first, *_) = running.provisioner.stopped
    assert await running.controller.instance_log("shop", first, 10) == f"log of {first}\n"
    with pytest.raises(UnknownName, match="There is no instance 'i9'"):
        await running.controller.instance_log("shop", "i9", 10)


async def test_a_trouble_that_instances_share_is_told_once_in_a_line(running: Running) -> None:
    running.provisioner.state = InstanceState.STARTING
    await running.controller.deploy(DeployCommand("shop", "v1"), ANNA)
    await running.until(lambda view: len(deployed(view, 1).instances) == 3)
    said = "ended with exit status 1. It said last:\nTraceback:\n  line 1\nno database"
    running.provisioner.become(("shop", 1), InstanceState.WAITING, said)
    told = "0 of 3 instances are up; i1, i2, i3: ended with exit status 1. It said last: no database."
    await running.until(lambda view: view.activity.endswith(told))


async def test_a_provisioner_that_fails_fails_the_deployment(running: Running) -> None:
    running.provisioner.broken = "no quota is left"
    await running.controller.deploy(DeployCommand("shop", "v1"), ANNA)
    await running.status(1, "failed")
    (gone,) = await running.store.deployments("shop")
    assert gone.note == "no quota is left"


async def test_why_it_failed_is_not_forgotten_when_it_cannot_be_stopped_either(running: Running) -> None:
    running.provisioner.broken, running.provisioner.stuck = "no quota is left", "nobody answers"
    await running.controller.deploy(DeployCommand("shop", "v1"), ANNA)
    view = await running.until(lambda view: deployed(view, 1).note.endswith("nobody answers"))
    assert deployed(view, 1).note == "no quota is left Since then: nobody answers"


async def test_trouble_is_told_until_it_is_over(running: Running) -> None:
    await running.release("v1")
    running.provisioner.broken = "no quota is left"
    running.provisioner.become(("shop", 1), InstanceState.UP)
    await running.until(lambda view: deployed(view, 1).note == "no quota is left")
    running.provisioner.broken = None
    running.provisioner.become(("shop", 1), InstanceState.UP)
    await running.until(lambda view: deployed(view, 1).note == "")


async def test_a_file_that_is_not_there_takes_nobody_away(running: Running) -> None:
    listed = replace(PROVIDED, provisioning=Provisioning(EndpointsFile("/run/{environment}.yaml"), 3))
    await running.controller.apply(catalogue(listed), ANNA)
    await running.release("v1")
    running.provisioner.pools[("shop", 1)] = []
    for _ in range(2):  # when it is asked a second time, the first answer has been taken in
        running.provisioner.asked.clear()
        running.provisioner.forget(("shop", 1))
        await running.provisioner.asked.wait()
    assert len(deployed(running.controller.view("shop"), 1).endpoints) == 3


async def test_what_a_file_lists_and_was_let_go_stays_unused_until_it_is_wanted(tmp_path: Path) -> None:
    listed = replace(PROVIDED, provisioning=Provisioning(EndpointsFile("/run/{environment}.yaml"), 3))
    async with control(tmp_path / "store.db") as before:
        await before.controller.apply(catalogue(listed), ANNA)
        await before.release("v1")
        await before.controller.scale("shop", 1, ANNA)
        left = await before.until(_is_settled)
        assert len(deployed(left, 1).endpoints) == 1
        sentences = [each.message for each in await before.store.events("shop")]
        assert "v1 on blue: 2 instances (i2, i3) may be stopped, no proxy knows them." in sentences
    assert len(before.provisioner.pools[("shop", 1)]) == 3
    async with control(tmp_path / "store.db", before.provisioner) as after:
        for _ in range(2):  # when it is asked a second time, the first answer has been taken in
            after.provisioner.asked.clear()
            after.provisioner.become(("shop", 1), InstanceState.UP)
            await after.provisioner.asked.wait()
        view = after.controller.view("shop")
        assert deployed(view, 1).endpoints == deployed(left, 1).endpoints
        assert len(deployed(view, 1).instances) == 1
        await after.controller.scale("shop", 2, ANNA)
        await after.until(lambda view: len(deployed(view, 1).endpoints) == 3)
    assert after.provisioner.stopped == []


def _is_settled(view: ServiceView) -> bool:
    return not deployed(view, 1).leaving and deployed(view, 1).leaving_since is None


async def test_an_instance_that_dies_gets_nothing_until_it_is_back(running: Running) -> None:
    await running.release("v1")
    running.provisioner.become(("shop", 1), InstanceState.WAITING, "killed", first=2)
    view = await running.until(lambda view: len(deployed(view, 1).endpoints) == 2)
    assert deployed(view, 1).expected == 3
    running.provisioner.become(("shop", 1), InstanceState.UP)
    await running.until(lambda view: len(deployed(view, 1).endpoints) == 3)


async def test_fewer_instances_are_stopped_only_when_no_proxy_knows_them(running: Running) -> None:
    await running.release("v1")
    before = deployed(running.controller.view("shop"), 1)
    running.switch.silent.add("edge-2")
    await running.controller.scale("shop", 1, ANNA)
    await running.until(lambda view: "leave; acknowledged by 1 of 2" in view.activity)
    drained = running.switch.told[-1][1].backends[0]
    assert drained.draining == tuple(each.endpoint for each in before.instances[1:])
    assert set(drained.endpoints) == {each.endpoint for each in before.instances}
    assert running.provisioner.stopped == []
    running.switch.speak("edge-2")
    view = await running.until(lambda view: len(deployed(view, 1).instances) == 1)
    assert running.provisioner.stopped == [each.id for each in before.instances[1:]]
    now = deployed(view, 1)
    assert (now.endpoints, now.leaving, now.gone) == ((before.instances[0].endpoint,), (), ())


async def test_what_is_released_is_stopped_and_not_before(running: Running) -> None:
    await running.controller.deploy(DeployCommand("shop", "v1"), ANNA)
    await running.status(1, "ready")
    await running.controller.abort("shop", ANNA)
    await running.until(lambda view: not view.aggregate.deployments)
    events = [each.what.value for each in await running.store.events("shop")]
    assert events.index("released") < events.index("stopped")
    assert len(running.provisioner.stopped) == 3


async def test_a_warm_version_rests_with_a_part_and_is_scaled_up_before_it_takes_the_traffic_back(
    running: Running,
) -> None:
    half = replace(PROVIDED, provisioning=Provisioning(SOURCE, 3, standby_capacity=50), keep_warm=0.2)
    await running.controller.apply(catalogue(half), ANNA)
    await running.release("v1")
    await running.release("v2")
    view = await running.until(lambda view: len(deployed(view, 1).instances) == 2)
    assert deployed(view, 1).status == "standby"
    running.provisioner.state = InstanceState.STARTING
    result = await running.controller.rollback("shop", ANNA)
    assert "scaled up to 3 instances first" in result.message
    await running.until(lambda view: len(deployed(view, 1).instances) == 3)
    assert running.switch.weights() == {"blue": 0, "green": 100}
    running.provisioner.become(("shop", 1), InstanceState.UP)
    await running.status(1, "active")
    assert running.switch.weights() == {"blue": 100, "green": 0}


async def test_who_cannot_wait_rolls_back_to_what_there_is(running: Running) -> None:
    half = replace(PROVIDED, provisioning=Provisioning(SOURCE, 3, standby_capacity=50), keep_warm=0.2)
    await running.controller.apply(catalogue(half), ANNA)
    await running.release("v1")
    await running.release("v2")
    await running.until(lambda view: len(deployed(view, 1).instances) == 2)
    running.provisioner.state = InstanceState.STARTING
    await running.controller.rollback("shop", ANNA)
    await running.controller.rollback("shop", ANNA, force=True)
    await running.status(1, "active")


async def test_environments_that_differ_are_refused_with_a_table(running: Running) -> None:
    await running.release("v1")
    await running.controller.scale("shop", 2, ANNA)
    await running.until(lambda view: len(deployed(view, 1).instances) == 2)
    await running.controller.deploy(DeployCommand("shop", "v2"), ANNA)
    view = await running.status(2, "ready")
    assert deployed(view, 2).expected == 2, "it is as large as the active one was scaled to"
    other = replace(PROVIDED, upstream=replace(PROVIDED.upstream, max_requests=5))
    await running.controller.apply(catalogue(other), ANNA)
    await running.controller.deploy(DeployCommand("shop", "v3"), ANNA)
    await running.status(3, "ready")
    with pytest.raises(Refused, match=r"limits +100000 connections, 100000 requests +.* 5 requests"):
        await running.controller.promote("shop", ANNA)
    with pytest.raises(Refused, match="say why"):
        await running.controller.promote("shop", Origin("anna"), force=True)
    await running.controller.promote("shop", ANNA, force=True)
    await running.status(3, "active")
    assert any(each.what == "disparity" for each in await running.store.events("shop"))


async def test_more_processes_than_a_machine_runs_are_refused(running: Running) -> None:
    await running.release("v1")
    with pytest.raises(Refused, match="at most 1000, not 1001"):
        await running.controller.scale("shop", 1001, ANNA)


async def test_what_is_handed_in_cannot_be_scaled(running: Running) -> None:
    await running.controller.apply(catalogue(QUICK), ANNA)
    await running.release("v1")
    with pytest.raises(Refused, match="handed in"):
        await running.controller.scale("shop", 2, ANNA)


async def test_after_a_restart_the_same_instances_are_wanted(tmp_path: Path) -> None:
    async with control(tmp_path / "store.db") as before:
        await before.controller.apply(catalogue(PROVIDED), ANNA)
        await before.release("v1")
        instances = deployed(before.controller.view("shop"), 1).instances
    async with control(tmp_path / "store.db", before.provisioner) as after:
        await after.controller.deploy(DeployCommand("shop", "v2"), ANNA)
        view = await after.status(2, "ready")
        assert deployed(view, 1).instances == instances
        assert after.provisioner.stopped == []
