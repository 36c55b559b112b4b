"""The admin service: every rpc of `protos/bluegreen/admin/v1/admin.proto`, over the controller.

The rpcs have the names that the protocol gives them.
"""

# ruff: noqa: N802

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import grpc

from bluegreen.admin import requests
from bluegreen.admin.answers import Answers, Context, origin_of
from bluegreen.admin.changes import noticing, within
from bluegreen.admin.contract import MAX_DOCUMENT
from bluegreen.admin.errors import telling_errors
from bluegreen.admin.fleet_views import proxy_facts_view
from bluegreen.admin.gate_views import HISTORY_OUTPUT, check_view, checks_view
from bluegreen.admin.migration_servicer import MigrationServicer
from bluegreen.admin.migration_views import run_views
from bluegreen.admin.service_file import BadServiceFile, read_service_file
from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.admin.v1 import admin_pb2_grpc
from bluegreen.admin.views import change_view, deployment_view, event_view, rollout_view, service_summary
from bluegreen.model.check import CheckKind
from bluegreen.model.errors import UnknownName
from bluegreen.model.event import Event
from bluegreen.model.store import Store
from bluegreen.rollout.operations import Operations
from bluegreen.subprocesses.printable import printable

LONGEST_LOG = 1024 * 1024
"""Characters of the log of an instance in one answer."""

# More than one look's worth of news; a burst beyond it is caught up with by the next look.
_NEWS = 10_000


def server_options() -> list[tuple[str, int]]:
    """What the server that this servicer is added to needs."""
    return [
        # The largest service file, and what goes with it.
        ("grpc.max_receive_message_length", MAX_DOCUMENT + 64 * 1024),
        # Two processes on one port would each get some of the commands.
        ("grpc.so_reuseport", 0),
    ]


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. `change`: the least between two statuses of a watch; `heartbeat`: the most. An unchanged
    status is sent again since rates and ages in it move on, and so that a client knows that it is alive."""

    change: float = 0.1
    heartbeat: float = 2.0


class AdminServicer(MigrationServicer):
    """Checks and translates; what is decided, the controller decides."""

    def __init__(self, operations: Operations, store: Store, pace: Pace | None = None) -> None:
        super().__init__(operations, Answers(operations, store))
        self._store, self._pace = store, pace or Pace()

    def add_to(self, server: grpc.aio.Server) -> None:
        admin_pb2_grpc.add_AdminServicer_to_server(self, server)  # type: ignore[no-untyped-call]  # generated

    @telling_errors
    async def Apply(self, request: pb.ApplyRequest, context: Context) -> pb.ApplyResponse:
        origin = origin_of(request, context)
        try:
            # A large file takes a second to read: not on the loop that answers the proxies.
            catalogue = await asyncio.to_thread(read_service_file, request.document)
        except BadServiceFile as bad:
            problems = [
                pb.Problem(line=each.line, path=each.path, message=each.message) for each in bad.problems
            ]
            return pb.ApplyResponse(problems=problems)
        changes = await self._operations.apply(
            catalogue, origin, prune=request.prune, dry_run=request.dry_run
        )
        return pb.ApplyResponse(changes=map(change_view, changes))

    @telling_errors
    async def ListServices(
        self, request: pb.ListServicesRequest, context: Context
    ) -> pb.ListServicesResponse:
        views = map(self._operations.view, self._operations.services())
        return pb.ListServicesResponse(services=map(service_summary, views))

    @telling_errors
    async def Deploy(self, request: pb.DeployRequest, context: Context) -> pb.CommandResponse:
        command = requests.deploy_command(request)
        result = await self._operations.deploy(command, origin_of(request, context))
        return await self._answers.to(command.service, result)

    @telling_errors
    async def Promote(self, request: pb.PromoteRequest, context: Context) -> pb.CommandResponse:
        service = requests.name("service", request.service)
        result = await self._operations.promote(
            service,
            origin_of(request, context),
            full=request.full,
            force=request.force,
            expected=requests.expected(request),
        )
        return await self._answers.to(service, result)

    @telling_errors
    async def Pause(self, request: pb.CommandRequest, context: Context) -> pb.CommandResponse:
        pause = partial(self._operations.pause, expected=requests.expected(request))
        return await self._answers.command(pause, request, context)

    @telling_errors
    async def Resume(self, request: pb.CommandRequest, context: Context) -> pb.CommandResponse:
        resume = partial(self._operations.resume, expected=requests.expected(request))
        return await self._answers.command(resume, request, context)

    @telling_errors
    async def Abort(self, request: pb.CommandRequest, context: Context) -> pb.CommandResponse:
        abort = partial(self._operations.abort, expected=requests.expected(request))
        return await self._answers.command(abort, request, context)

    @telling_errors
    async def Rollback(self, request: pb.CommandRequest, context: Context) -> pb.CommandResponse:
        seen = requests.expected(request)
        rollback = partial(self._operations.rollback, force=request.force, expected=seen)
        return await self._answers.command(rollback, request, context)

    @telling_errors
    async def Retire(self, request: pb.RetireRequest, context: Context) -> pb.CommandResponse:
        service = requests.name("service", request.service)
        seen = requests.expected(request)
        result = await self._operations.retire(
            service, origin_of(request, context), confirmed=request.confirmed, expected=seen
        )
        return await self._answers.to(service, result)

    @telling_errors
    async def Test(self, request: pb.TestRequest, context: Context) -> pb.CommandResponse:
        service = requests.name("service", request.service)
        result = await self._operations.test(service, origin_of(request, context), active=request.active)
        kind = CheckKind.TESTS_OF_ACTIVE if request.active else CheckKind.TESTS
        checks = self._operations.aggregate(service).checks
        begun = next((check for check in reversed(checks) if check.kind is kind), None)
        answer = await self._answers.to(service, result)
        if begun is not None:
            answer.check.CopyFrom(check_view(begun))
        return answer

    @telling_errors
    async def Approve(self, request: pb.CommandRequest, context: Context) -> pb.CommandResponse:
        approve = partial(self._operations.approve, expected=requests.expected(request))
        return await self._answers.command(approve, request, context)

    @telling_errors
    async def Retry(self, request: pb.CommandRequest, context: Context) -> pb.CommandResponse:
        return await self._answers.command(self._operations.retry, request, context)

    @telling_errors
    async def Scale(self, request: pb.ScaleRequest, context: Context) -> pb.CommandResponse:
        service = requests.name("service", request.service)
        result = await self._operations.scale(service, request.instances, origin_of(request, context))
        return await self._answers.to(service, result)

    @telling_errors
    async def GetStatus(self, request: pb.GetStatusRequest, context: Context) -> pb.ServiceStatus:
        requests.name("service", request.service)
        return await self._answers.status(request)

    @telling_errors
    async def WatchStatus(self, request: pb.GetStatusRequest, context: Context) -> None:
        service = requests.name("service", request.service)
        # Listening comes before the first look: what changes in between is not missed.
        async with noticing(self._operations.changes(service)) as changed:
            while True:
                changed.clear()
                await context.write(await self._answers.status(request))
                await asyncio.sleep(self._pace.change)
                await within(self._pace.heartbeat - self._pace.change, changed)

    @telling_errors
    async def GetHistory(self, request: pb.GetHistoryRequest, context: Context) -> pb.GetHistoryResponse:
        service = requests.name("service", request.service)
        limit = requests.limit(request.limit, default=50, most=1000)
        deployments = await self._store.deployments(service, limit)
        rollouts = await self._store.rollouts(service, limit)
        checks = await self._store.checks(service, limit)
        runs = await self._store.migration_runs(service, limit)
        if not deployments:  # one that was removed has its history still
            self._operations.aggregate(service)
        return pb.GetHistoryResponse(
            deployments=map(deployment_view, deployments),
            rollouts=map(rollout_view, rollouts),
            checks=checks_view(checks, HISTORY_OUTPUT),
            migration_runs=run_views(runs),
        )

    @telling_errors
    async def ListEvents(self, request: pb.ListEventsRequest, context: Context) -> None:
        service = requests.name("service", request.service) if request.service else None
        limit = requests.limit(request.limit, default=100, most=_NEWS)
        async with noticing(self._store.watch()) as changed:
            last = await _send(context, await self._events(service, request.after, limit), request.after)
            while request.follow:
                # Not every event is a change of some service: a proxy that was seen belongs to none.
                await within(self._pace.heartbeat, changed)
                changed.clear()
                last = await _send(context, await self._store.events(service, last, _NEWS), last)

    @telling_errors
    async def GetInstanceLog(
        self, request: pb.GetInstanceLogRequest, context: Context
    ) -> pb.GetInstanceLogResponse:
        service, instance = (
            requests.name("service", request.service),
            requests.name("instance", request.instance),
        )
        text = await self._operations.instance_log(service, instance, requests.lines(request.lines))
        return pb.GetInstanceLogResponse(text=printable(text)[-LONGEST_LOG:])

    @telling_errors
    async def ListProxies(self, request: pb.ListProxiesRequest, context: Context) -> pb.ListProxiesResponse:
        gateway = requests.name("gateway", request.gateway) if request.gateway else ""
        known_or_not = (*self._operations.fleet(), *self._operations.refused())
        fleet = [each for each in known_or_not if gateway in ("", each.gateway)]
        if gateway and not fleet:
            await self._require_gateway(gateway)
        return pb.ListProxiesResponse(proxies=map(proxy_facts_view, fleet))

    @telling_errors
    async def ForgetProxy(self, request: pb.ForgetProxyRequest, context: Context) -> pb.ForgetProxyResponse:
        proxy = requests.name("proxy", request.proxy)
        await self._operations.forget_proxy(proxy, origin_of(request, context))
        return pb.ForgetProxyResponse()

    # --- inside ---

    async def _events(self, service: str | None, after: int, limit: int) -> Sequence[Event]:
        events = await self._store.events(service, after, limit)
        if service and not events:  # one that was removed has its events still
            self._operations.aggregate(service)
        return events

    async def _require_gateway(self, gateway: str) -> None:
        known = await self._store.gateways()
        if gateway not in known:
            raise UnknownName("gateway", gateway, known)


async def _send(context: Context, events: Sequence[Event], last: int) -> int:
    """Send the events; return the id of the last that was ever sent."""
    for event in events:
        await context.write(event_view(event))
    return events[-1].id if events else last
