"""Environments over real gRPC: what is asked reaches the controller, and what comes back is bounded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import grpc
import pytest

from bluegreen.admin.servicer import LONGEST_LOG
from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.model.deployment import Status
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.errors import ProvisioningFailed
from bluegreen.model.event import Event, Origin, What
from bluegreen.model.pool import Instance, InstanceState
from bluegreen.model.provisioning import ProcessTemplate, Provisioning
from bluegreen.rollout.environments import scale_up_seconds
from tests.admin.puppet_operations import PuppetOperations
from tests.admin.test_servicer import refusal
from tests.deployment_store.samples import deployment as new_deployment

WHO = pb.Origin(actor="olga", reason="because")


async def test_scale_and_force_reach_the_controller(operations: PuppetOperations, admin: Any) -> None:
    await admin.Scale(pb.ScaleRequest(origin=WHO, service="shop", instances=7))
    await admin.Promote(pb.PromoteRequest(origin=WHO, service="shop", force=True))
    assert operations.asked == [
        ("scale", {"instances": 7}, Origin("olga", "because")),
        ("promote", {"full": False, "force": True}, Origin("olga", "because")),
    ]


async def test_the_log_of_an_instance_has_bounds(admin: Any) -> None:
    request = pb.GetInstanceLogRequest(service="shop", instance="i1")
    assert len((await admin.GetInstanceLog(request)).text.splitlines()) == 100
    request.lines = 10_000
    assert len((await admin.GetInstanceLog(request)).text.splitlines()) == 10_000
    request.instance = "i" * 200  # two megabytes of it
    text = (await admin.GetInstanceLog(request)).text
    assert len(text) == LONGEST_LOG
    assert text.endswith(f"line 9999 of {request.instance}\n")


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (pb.GetInstanceLogRequest(instance="i1"), "Say which service"),
        (pb.GetInstanceLogRequest(service="shop"), "Say which instance"),
        (pb.GetInstanceLogRequest(service="shop", instance="i\n"), "cannot be printed"),
        (pb.GetInstanceLogRequest(service="shop", instance="i1", lines=10_001), "1 to 10000"),
        (pb.GetInstanceLogRequest(service="shop", instance="i1", lines=-1), "1 to 10000"),
    ],
    ids=str,
)
async def test_words_that_are_wrong_in_any_state(
    admin: Any, request_: pb.GetInstanceLogRequest, words: str
) -> None:
    code, message, _ = await refusal(admin.GetInstanceLog(request_))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert words in message


async def test_what_the_provisioner_says_of_its_failure_is_told(
    operations: PuppetOperations, admin: Any
) -> None:
    operations.error = ProvisioningFailed("no quota is left")
    _, message, kind = await refusal(admin.Scale(pb.ScaleRequest(service="shop", instances=7)))
    assert (message, kind) == ("no quota is left", "internal")


async def test_a_status_counts_those_that_stay(operations: PuppetOperations, admin: Any) -> None:
    states = (InstanceState.UP, InstanceState.FAILED, InstanceState.UP, InstanceState.STOPPING)
    instances = tuple(
        Instance(f"i{number}", Endpoint("127.0.0.1", 9000 + number), state, since=5.0, restarts=number)
        for number, state in enumerate(states)
    )
    pool = replace(
        new_deployment(1),
        status=Status.ACTIVE,
        provisioning=Provisioning(ProcessTemplate(("shop",)), 2),
        full_capacity=4,
        capacity=2,
        instances=instances,
        leaving=("i2", "i3"),
    )
    operations.show(operations.shop.with_deployment(pool))
    (told,) = (await admin.GetStatus(pb.GetStatusRequest(service="shop", instances=True))).deployments
    capacity = told.capacity
    assert (capacity.wanted, capacity.full, capacity.up, capacity.leaving, capacity.failed) == (2, 4, 1, 2, 1)
    assert [(each.id, each.state, each.leaving) for each in told.instances] == [
        ("i0", "up", False),
        ("i1", "failed", False),
        ("i2", "up", True),
        ("i3", "stopping", True),
    ]
    assert (told.instances[3].since, told.instances[3].restarts) == (5.0, 3)


def test_the_last_scale_up_is_told_by_the_events() -> None:
    pool = replace(new_deployment(1), provisioning=Provisioning(ProcessTemplate(("shop",))), capacity=2)

    def event(at: float, what: What, before: str = "", after: str = "", revision: int = 1) -> Event:
        return Event(at, "shop", what, Origin("olga"), "", before, after, deployment=revision)

    started = [
        event(10, What.DEPLOYED, after="deploying"),
        event(11, What.INSTANCES_CHANGED, "0", "1"),
        event(12, What.INSTANCES_CHANGED, "0", "2", revision=2),
    ]
    assert scale_up_seconds(started, pool) is None, "one of two is up"
    up = [*started, event(13, What.INSTANCES_CHANGED, "1", "2")]
    assert scale_up_seconds(up, pool) == 3
    died = [*up, event(20, What.INSTANCES_CHANGED, "2", "1"), event(21, What.INSTANCES_CHANGED, "1", "2")]
    assert scale_up_seconds(died, pool) == 3
    down = [*died, event(30, What.SCALED, "2", "1"), event(31, What.INSTANCES_CHANGED, "2", "1")]
    assert scale_up_seconds(down, replace(pool, capacity=1)) == 3, "what was before it is not forgotten"
    again = [*down, event(40, What.SCALED, "1", "4"), event(40, What.SCALED)]
    assert scale_up_seconds(again, replace(pool, capacity=4)) is None
    assert scale_up_seconds([*again, event(47, What.INSTANCES_CHANGED, "1", "4")], pool) == 7
    assert scale_up_seconds(up[1:], pool) is None, "it began before these events"
