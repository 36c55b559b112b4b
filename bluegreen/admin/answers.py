"""What the rpcs of the admin service are answered with: where a service stands once a command is decided."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from bluegreen.admin import requests
from bluegreen.admin.migration_views import applied_view
from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.admin.views import add_instances, service_status
from bluegreen.model.event import Origin
from bluegreen.model.store import Store
from bluegreen.rollout.operations import CommandResult, Operations

RECENT_EVENTS = 64
"""Of which a status tells some."""

SCALE_EVENTS = 1000
"""Among which the last scale-up of each environment is looked for."""

Context = grpc.aio.ServicerContext[Any, Any]


def origin_of(request: Any, context: Context) -> Origin:
    """Who asks: as they say, or else where they come from."""
    return requests.origin(request.origin, context.peer())


class Answers:
    """Of one control plane."""

    def __init__(self, operations: Operations, store: Store) -> None:
        self._operations, self._store = operations, store

    async def command(
        self,
        command: Callable[[str, Origin], Awaitable[CommandResult]],
        request: pb.CommandRequest,
        context: Context,
    ) -> pb.CommandResponse:
        """Have a command carried out that needs a service and no more."""
        service = requests.name("service", request.service)
        return await self.to(service, await command(service, origin_of(request, context)))

    async def to(self, service: str, result: CommandResult) -> pb.CommandResponse:
        return pb.CommandResponse(
            message=result.message,
            deployment_revision=result.deployment or 0,
            rollout_id=result.rollout or 0,
            status=await self.status(pb.GetStatusRequest(service=service)),
        )

    async def status(self, request: pb.GetStatusRequest) -> pb.ServiceStatus:
        """Raises UnknownName."""
        service = request.service
        self._operations.aggregate(service)  # who knows the names complains first
        events = await self._store.events(service, limit=SCALE_EVENTS if request.instances else RECENT_EVENTS)
        view = self._operations.view(service)
        status = service_status(view, events)
        if request.instances:
            add_instances(status, view.aggregate, events)
        if request.ledger:
            status.ledger.extend(map(applied_view, view.aggregate.ledger))
        return status
