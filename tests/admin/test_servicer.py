from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import grpc
import pytest

from bluegreen.admin.servicer import Pace
from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.admin.v1.admin_pb2_grpc import AdminStub
from bluegreen.model.deployment import Status
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.environment import Environment
from bluegreen.model.errors import (
    BluegreenError,
    Conflict,
    IllegalTransition,
    InvalidInput,
    NotServing,
    Refused,
    UnknownName,
)
from bluegreen.model.event import Origin, What
from bluegreen.model.fleet import ProxyFacts, ResourceTypeFacts
from bluegreen.model.known_proxy import KnownProxy
from bluegreen.model.rollout import Outcome
from bluegreen.model.store import CatalogueChange
from bluegreen.model.traffic_report import (
    BackendReport,
    LoadReading,
    ProxyReport,
    RequestFigures,
    TrafficReport,
)
from bluegreen.model.traffic_rule import TrafficRule
from bluegreen.rollout.operations import DeployCommand
from deployment_store import SqliteStore
from tests.admin.conftest import AdminServer, serving
from tests.admin.puppet_operations import STARTED, PuppetOperations
from tests.deployment_store.samples import SHOP, event, move
from tests.deployment_store.samples import deployment as new_deployment
from tests.deployment_store.samples import rollout as new_rollout

WHO = pb.Origin(actor="olga", reason="because")
TEXT = """\
gateways:
  edge: {listen: 127.0.0.1:10000}
services:
  shop: {gateways: [edge], domains: [shop.example], keep_warm: 5m}
"""


async def refusal(call: Any) -> tuple[grpc.StatusCode, str, str]:
    """Code, message and kind of the error that a call ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    error = caught.value
    return (
        error.code(),
        error.details() or "",
        str(dict(error.trailing_metadata() or ()).get("bluegreen-error")),
    )


async def first(stream: AsyncIterator[Any]) -> Any:
    async with asyncio.timeout(5):
        return await anext(aiter(stream))


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (UnknownName("service", "shop", ["blog"]), grpc.StatusCode.NOT_FOUND, "unknown-name"),
        (InvalidInput("So not."), grpc.StatusCode.INVALID_ARGUMENT, "invalid-input"),
        (Refused("Not now.", "Possible: wait."), grpc.StatusCode.FAILED_PRECONDITION, "refused"),
        (IllegalTransition("Not so."), grpc.StatusCode.FAILED_PRECONDITION, "refused"),
        (Conflict("Too late."), grpc.StatusCode.ABORTED, "conflict"),
        (NotServing("Not yet."), grpc.StatusCode.UNAVAILABLE, "not-serving"),
    ],
)
async def test_an_error_is_told_as_its_status(
    operations: PuppetOperations, admin: Any, error: BluegreenError, code: grpc.StatusCode, kind: str
) -> None:
    operations.error = error
    assert await refusal(admin.Promote(pb.PromoteRequest(service="shop"))) == (code, str(error), kind)


async def test_what_nobody_foresaw_is_logged_and_not_told(
    operations: PuppetOperations, admin: Any, caplog: pytest.LogCaptureFixture
) -> None:
    operations.error = ZeroDivisionError("secret")
    with caplog.at_level(logging.ERROR):
        code, message, kind = await refusal(admin.Promote(pb.PromoteRequest(service="shop")))
    assert (code, kind) == (grpc.StatusCode.INTERNAL, "internal")
    assert "secret" not in message
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.args is not None
    assert str(record.args[0]) in message  # type: ignore[index]  # by this the operator finds it


async def test_a_long_message_is_cut(operations: PuppetOperations, admin: Any) -> None:
    for text, length in (("a" * 100_000, 6000), ("é" * 100_000, 1000), ("%" * 100_000, 2000)):
        operations.error = InvalidInput(text)
        _, message, _ = await refusal(admin.Promote(pb.PromoteRequest(service="shop")))
        assert message == f"{text[:length]}..."


async def test_each_command_reaches_the_controller_with_its_origin(
    operations: PuppetOperations, admin: Any
) -> None:
    await admin.Deploy(
        pb.DeployRequest(
            origin=WHO,
            service="shop",
            version="v1",
            endpoints=["127.0.0.1:1", "[::1]:2"],
            replace_standby=True,
        )
    )
    await admin.Promote(pb.PromoteRequest(origin=WHO, service="shop", full=True))
    for call in (admin.Pause, admin.Resume, admin.Abort, admin.Rollback):
        await call(pb.CommandRequest(origin=WHO, service="shop"))
    endpoints = (Endpoint("127.0.0.1", 1), Endpoint("::1", 2))
    assert [asked[:2] for asked in operations.asked] == [
        ("deploy", DeployCommand("shop", "v1", endpoints, replace_standby=True)),
        ("promote", {"full": True}),
        ("pause", "shop"),
        ("resume", "shop"),
        ("abort", "shop"),
        ("rollback", {"force": False}),
    ]
    assert {asked[2] for asked in operations.asked} == {Origin("olga", "because")}


async def test_a_command_is_answered_with_what_it_started_and_the_status(admin: Any) -> None:
    deployed = await admin.Deploy(pb.DeployRequest(service="shop", version="v1"))
    assert (deployed.message, deployed.deployment_revision, deployed.rollout_id) == ("v1 goes to blue.", 1, 0)
    assert [each.status for each in deployed.status.deployments] == ["deploying"]
    promoted = await admin.Promote(pb.PromoteRequest(service="shop"))
    assert (promoted.deployment_revision, promoted.rollout_id) == (1, 1)
    assert promoted.status.rollout.state == "proving"


async def test_who_does_not_say_who_they_are_is_known_by_their_address(
    operations: PuppetOperations, admin: Any
) -> None:
    await admin.Pause(pb.CommandRequest(service="shop"))
    assert operations.asked[0][2].actor.startswith("ipv4:127.0.0.1:")


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (pb.DeployRequest(service="shop"), "no version"),
        (pb.DeployRequest(service="shop", version="-v"), "no version"),
        (pb.DeployRequest(service="shop", version="v 1"), "no version"),
        (pb.DeployRequest(service="shop", version="v\r\n"), "no version"),
        (pb.DeployRequest(service="shop", version="v" * 129), "no version"),
        (pb.DeployRequest(version="v1"), "Say which service"),
        (pb.DeployRequest(service="s" * 257, version="v1"), "at most 256"),
        (pb.DeployRequest(service="shop", version="v1", endpoints=["here"]), "HOST:PORT"),
        (pb.DeployRequest(service="shop", version="v1", endpoints=["a:1"] * 10_001), "at most 10000"),
        (pb.DeployRequest(service="shop", version="v1", origin=pb.Origin(actor="a" * 201)), "actor"),
        (pb.DeployRequest(service="shop", version="v1", origin=pb.Origin(reason="\x1b[2J")), "reason"),
    ],
    ids=str,
)
async def test_words_that_are_wrong_in_any_state(
    operations: PuppetOperations, admin: Any, request_: pb.DeployRequest, words: str
) -> None:
    code, message, _ = await refusal(admin.Deploy(request_))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert words in message
    assert operations.asked == []


async def test_apply_answers_with_the_difference(operations: PuppetOperations, admin: Any) -> None:
    for dry_run in (True, False):
        answer = await admin.Apply(pb.ApplyRequest(origin=WHO, document=TEXT, dry_run=dry_run))
        (change,) = answer.changes
        assert (change.kind, change.path) == (pb.Change.CHANGED, "services.shop.keep_warm")
        assert (change.before, change.after) == ("30m", "5m")
    assert await admin.Apply(pb.ApplyRequest(document=TEXT, prune=True)) == pb.ApplyResponse()
    assert [asked[1] for asked in operations.asked] == [
        {"prune": False, "dry_run": True},
        {"prune": False, "dry_run": False},
        {"prune": True, "dry_run": False},
    ]


async def test_apply_answers_with_the_problems_and_changes_nothing(
    operations: PuppetOperations, admin: Any
) -> None:
    answer = await admin.Apply(pb.ApplyRequest(document=TEXT.replace("5m", "soon")))
    (problem,) = answer.problems
    assert (problem.line, problem.path) == (4, "services.shop.keep_warm")
    assert operations.asked == []


async def test_a_file_as_large_as_allowed_comes_through(admin: Any) -> None:
    answer = await admin.Apply(pb.ApplyRequest(document=TEXT + "#" * (4 * 1024 * 1024 - len(TEXT))))
    assert not answer.problems
    answer = await admin.Apply(pb.ApplyRequest(document=TEXT + "#" * (4 * 1024 * 1024)))
    assert "larger than 4 MiB" in answer.problems[0].message


def shifting(operations: PuppetOperations) -> None:
    """v2 has 10 %; one of two proxies has acknowledged it."""
    aggregate = operations.shop
    for revision, environment, status in (
        (1, Environment.BLUE, Status.ACTIVE),
        (2, Environment.GREEN, Status.SHIFTING),
    ):
        aggregate = aggregate.with_deployment(
            replace(new_deployment(revision, environment), status=status, activated_at=STARTED)
        )
    rollout = replace(new_rollout(1, candidate=2), previous=1, step=0, percent=10, set_at=STARTED)
    report = TrafficReport(
        proxies=(
            ProxyReport(
                "edge-1",
                "edge",
                connected=True,
                routes_acknowledged_at=STARTED + 0.25,
                backends={
                    2: BackendReport(
                        2,
                        acknowledged=True,
                        healthy=1,
                        warming=False,
                        readings=(LoadReading(STARTED, 3, 0),),
                        active=3,
                    )
                },
            ),
            ProxyReport(
                "edge-2",
                "edge",
                connected=False,
                rejected="no",
                backends={2: BackendReport(2, acknowledged=True)},
            ),
        ),
        figures={
            1: RequestFigures(900, {2: 890, 5: 10}, active=7, per_second=90.0, p50=4.0, p99=12.5),
            2: RequestFigures(100, {2: 100}, active=3, per_second=10.0),
        },
        unattributed_5xx=4,
    )
    aggregate = replace(aggregate, rollout=rollout, traffic=TrafficRule("shop", Environment.BLUE, 10))
    operations.show(aggregate, "waits for edge-2", report)


async def test_the_status_shows_what_is_set_acknowledged_and_observed(
    operations: PuppetOperations, admin: Any
) -> None:
    shifting(operations)
    status = await admin.GetStatus(pb.GetStatusRequest(service="shop"))
    assert (status.active_environment, status.cutover_percent, status.activity) == (
        "blue",
        10,
        "waits for edge-2",
    )
    assert (list(status.domains), list(status.gateways), status.unattributed_failures) == (
        ["shop.example"],
        ["edge"],
        4,
    )
    blue, green = status.deployments
    assert (blue.set_percent, blue.observed_percent, blue.acknowledged_by, blue.proxies) == (90, 90.0, 1, 2)
    assert (blue.requests, blue.failures, blue.active_requests, blue.p50_ms, blue.p99_ms) == (
        900,
        10,
        7,
        4.0,
        12.5,
    )
    assert (green.set_percent, green.observed_percent, green.p99_ms) == (10, 10.0, -1.0)
    assert list(green.endpoints) == ["127.0.0.1:8002", "[::1]:80"]
    assert (status.rollout.state, status.rollout.percent, list(status.rollout.steps)) == (
        "waiting for acknowledgements",
        10,
        [10, 100],
    )
    connected, silent = status.proxies
    assert (connected.acknowledged, connected.acknowledged_after) == (True, 0.25)
    (backend,) = connected.backends
    assert (backend.healthy, backend.expected, backend.active_requests) == (1, 2, 3)
    assert (silent.connected, silent.acknowledged, silent.acknowledged_after, silent.rejected) == (
        False,
        False,
        -1.0,
        "no",
    )
    assert silent.backends[0].healthy == -1


async def test_while_it_is_deployed_those_count_that_have_its_clusters(
    operations: PuppetOperations, admin: Any
) -> None:
    shifting(operations)
    operations.move(2, Status.DEPLOYING)
    green = (await admin.GetStatus(pb.GetStatusRequest(service="shop"))).deployments[1]
    assert (green.acknowledged_by, green.proxies) == (2, 2)


async def test_the_states_of_a_rollout(operations: PuppetOperations, admin: Any) -> None:
    shifting(operations)

    async def rollout() -> pb.Rollout:
        status: pb.ServiceStatus = await admin.GetStatus(pb.GetStatusRequest(service="shop"))
        return status.rollout

    operations.acknowledge()
    holding = await rollout()
    assert (holding.state, holding.hold_until) == ("holding", STARTED + 1 + 5)
    operations.amend_rollout(lambda each: replace(each, paused="edge-2 is silent"))
    assert ((await rollout()).state, (await rollout()).reason) == ("paused", "edge-2 is silent")
    operations.amend_rollout(lambda each: replace(each, turning_back="aborted"))
    assert ((await rollout()).state, (await rollout()).reason) == ("turning back", "aborted")
    operations.finish(Outcome.ABORTED)
    over = await rollout()
    assert (over.state, over.finished_at, over.hold_until) == ("aborted", STARTED + 2, 0.0)


async def test_an_unknown_service_is_not_found(admin: Any) -> None:
    for call in (
        admin.GetStatus(pb.GetStatusRequest(service="shoop")),
        admin.GetHistory(pb.GetHistoryRequest(service="shoop")),
        first(admin.WatchStatus(pb.GetStatusRequest(service="shoop"))),
        first(admin.ListEvents(pb.ListEventsRequest(service="shoop"))),
        first(admin.ListEvents(pb.ListEventsRequest(service="shoop", follow=True))),
    ):
        code, message, _ = await refusal(call)
        assert code is grpc.StatusCode.NOT_FOUND
        assert message == "There is no service 'shoop'. Known: shop."


async def test_all_services_are_listed(admin: Any) -> None:
    answer = await admin.ListServices(pb.ListServicesRequest())
    assert [each.service for each in answer.services] == ["shop"]


async def test_a_watch_tells_every_change_and_beats_in_between(
    operations: PuppetOperations, admin: Any
) -> None:
    watch = admin.WatchStatus(pb.GetStatusRequest(service="shop"))
    async with asyncio.timeout(5):
        assert (await watch.read()).activity == "idle"
        operations.show(operations.shop, "busy")
        assert (await watch.read()).activity == "busy"
        assert (await watch.read()).activity == "busy"  # the heartbeat
        operations.remove("shop")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await watch.read()
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_news_does_not_wait_for_the_heartbeat(operations: PuppetOperations, store: SqliteStore) -> None:
    slow = AdminServer(operations, store, pace=Pace(change=0.02, heartbeat=600))
    async with serving(slow), grpc.aio.insecure_channel(slow.address) as channel, asyncio.timeout(5):
        stub = AdminStub(channel)  # type: ignore[no-untyped-call]  # generated
        watch = stub.WatchStatus(pb.GetStatusRequest(service="shop"))
        assert (await watch.read()).activity == "idle"
        operations.show(operations.shop, "busy")
        assert (await watch.read()).activity == "busy"
        follow = stub.ListEvents(pb.ListEventsRequest(service="shop", follow=True))
        for what in (What.APPLIED, What.PAUSED):
            await store.change_catalogue(CatalogueChange(services=(SHOP,)), [event(what)])
            assert (await follow.read()).what == what


async def test_a_watch_melts_a_burst_into_few_statuses(operations: PuppetOperations, admin: Any) -> None:
    watch = admin.WatchStatus(pb.GetStatusRequest(service="shop"))
    async with asyncio.timeout(5):
        await watch.read()
        begin, seen, last = time.monotonic(), 0, ""
        for number in range(500):
            operations.show(operations.shop, f"busy {number}")
            await asyncio.sleep(0)
        while last != "busy 499":
            last, seen = (await watch.read()).activity, seen + 1
    assert seen <= 2 + (time.monotonic() - begin) / 0.02


async def test_history_has_what_is_over(store: SqliteStore, admin: Any) -> None:
    aggregate = await store.load("shop")
    await store.compare_and_set(
        aggregate.with_deployment(new_deployment(1)), aggregate.revision, [event(What.DEPLOYED, 1)]
    )
    await move(store, 1, What.PREPARED, What.SHIFT_STARTED)
    aggregate = await store.load("shop")
    await store.compare_and_set(
        replace(aggregate, rollout=new_rollout(1)), aggregate.revision, [event(What.WEIGHT_SET, 1)]
    )
    answer = await admin.GetHistory(pb.GetHistoryRequest(service="shop"))
    (deployment,) = answer.deployments
    assert (deployment.revision, deployment.version, deployment.status) == (1, "v1", "shifting")
    assert (deployment.observed_percent, deployment.p99_ms) == (-1.0, -1.0)
    assert [each.id for each in answer.rollouts] == [1]
    code, _, _ = await refusal(admin.GetHistory(pb.GetHistoryRequest(service="shop", limit=1001)))
    assert code is grpc.StatusCode.INVALID_ARGUMENT


async def test_events_come_oldest_first_and_go_on(store: SqliteStore, admin: Any) -> None:
    aggregate = await store.load("shop")
    await store.compare_and_set(
        aggregate.with_deployment(new_deployment(1)), aggregate.revision, [event(What.DEPLOYED, 1)]
    )
    await move(store, 1, What.PREPARED)
    told = [each async for each in admin.ListEvents(pb.ListEventsRequest(service="shop"))]
    assert [each.what for each in told] == ["deployed", "prepared"]
    assert (getattr(told[1], "from"), told[1].to, told[1].actor, told[1].reason) == (
        "deploying",
        "ready",
        "olga",
        "because",
    )
    newest = [each.what async for each in admin.ListEvents(pb.ListEventsRequest(service="shop", limit=1))]
    assert newest == ["prepared"]
    follow = admin.ListEvents(pb.ListEventsRequest(follow=True, after=told[0].id))
    async with asyncio.timeout(5):
        assert (await follow.read()).what == "prepared"
        await move(store, 1, What.SHIFT_STARTED, What.ACTIVATED)
        assert (await follow.read()).what == "shift-started"
        assert (await follow.read()).what == "activated"
        await store.remember_proxies([KnownProxy("edge-1", "edge", "1.40.0", STARTED, STARTED)])
        assert (await follow.read()).what == "proxy-seen"  # of no service: by the heartbeat at the latest


async def test_proxies_are_listed_and_forgotten(operations: PuppetOperations, admin: Any) -> None:
    operations.proxies = [
        ProxyFacts(
            "edge-1",
            "edge",
            "1.40.0",
            STARTED,
            STARTED + 9,
            connected_since=STARTED,
            types=(ResourceTypeFacts("CDS", "b", "a", "bad cluster", 3, nacks=2),),
        ),
        ProxyFacts("side-1", "sidecar", "1.40.0", STARTED, STARTED + 9),
    ]
    edge, side = (await admin.ListProxies(pb.ListProxiesRequest())).proxies
    assert (edge.id, edge.connected, edge.connected_since, edge.reported_at) == ("edge-1", True, STARTED, 0.0)
    assert (edge.types[0].type, edge.types[0].rejected, edge.types[0].nacks) == ("CDS", "bad cluster", 2)
    assert (side.connected, side.connected_since) == (False, 0.0)
    only = (await admin.ListProxies(pb.ListProxiesRequest(gateway="sidecar"))).proxies
    assert [each.id for each in only] == ["side-1"]
    code, message, _ = await refusal(admin.ListProxies(pb.ListProxiesRequest(gateway="egde")))
    assert (code, message) == (grpc.StatusCode.NOT_FOUND, "There is no gateway 'egde'. Known: edge.")
    await admin.ForgetProxy(pb.ForgetProxyRequest(origin=WHO, proxy="side-1"))
    assert operations.asked == [("forget_proxy", "side-1", Origin("olga", "because"))]
    code, _, _ = await refusal(admin.ForgetProxy(pb.ForgetProxyRequest(proxy="side-9")))
    assert code is grpc.StatusCode.NOT_FOUND
