"""The server: groups, published state and the gRPC services in front of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

import grpc

from .barrier import Target
from .csds import ClientStatus
from .delta import DeltaSession
from .errors import BadRequest, NotReady, Refused, UnknownGroup
from .fleet import Fleet
from .group import Group
from .health import Health
from .node import NodeIdentity
from .resource import Resource
from .services import SERVICES, Service
from .session import Session
from .settings import XdsSettings
from .sotw import SotwSession
from .stream import END, Stream, Transport
from .transaction import Transaction, TransactionResult

Protocol = type[Session]


class XdsServer:
    """Serves each group's published resources to the proxies of that group.

    All of it belongs to one event loop. ``publish`` and ``change`` may be called before ``add_to`` and before
    the server is ready; no proxy is answered before ``start_serving``.
    """

    def __init__(
        self,
        group_of: Callable[[NodeIdentity], str | None],
        *,
        settings: XdsSettings | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``group_of`` says which snapshot a node gets; None refuses it with FAILED_PRECONDITION."""
        self._group_of = group_of
        self._settings = settings or XdsSettings()
        self._clock = clock
        self._groups: dict[str, Group] = {}
        self._health = Health()
        self.fleet = Fleet(clock)

    @property
    def ready(self) -> bool:
        return self._health.ready

    def start_serving(self) -> None:
        """The state is loaded: answer from now on. Until then every stream is refused with UNAVAILABLE (row
        READY).
        """
        self._health.become_ready()

    def publish(self, group: str, resources: Iterable[Resource]) -> int:
        """Make these all that the group has; returns the group's generation.

        The generation grows by one with each call that changes something, and is the same again if nothing
        changed. Each proxy of the group goes there at its own pace in the stages of row ORDER. Raises
        InconsistentSnapshot with all faults; then nothing is changed.
        """
        state = self.group(group)
        before = state.generation
        generation = state.publish(resources)
        if generation != before:
            self._wake(group)
        return generation

    def change(self, group: str, put: Iterable[Resource] = (), remove: Iterable[tuple[str, str]] = ()) -> int:
        """As ``publish``, for the named resources only: ``remove`` has pairs of type URL and name.

        Costs what changes, not what exists. A name that is not there is removed without complaint.
        """
        state = self.group(group)
        before = state.generation
        generation = state.change(put, remove)
        if generation != before:
            self._wake(group)
        return generation

    async def transaction(
        self, target: Target, *, timeout: float, expected: Collection[str] = ()
    ) -> TransactionResult:
        """Change the named resources with a barrier over the fleet: each stage (clusters and endpoints, then
        routes and the rest, then removals) is acknowledged by every connected proxy of the groups before the
        next is published.

        ``expected`` are node ids that must be there and acknowledge, connected now or not. Ends after
        ``timeout`` seconds at the latest; see TransactionResult. Several may run at once, on one group too.
        Raises InconsistentSnapshot.
        """
        return await Transaction(self, target, expected).run(timeout)

    def generation(self, group: str) -> int:
        """The group's present generation; 0 before anything was published."""
        state = self._groups.get(group)
        return state.generation if state else 0

    def add_to(self, server: grpc.aio.Server) -> None:
        """Register ADS and the per-type services in both protocols, client status and health."""
        handlers = [self._health.handler(), ClientStatus(self.fleet).handler()]
        for service in SERVICES:
            methods = {
                service.stream: self._method(service, SotwSession),
                service.delta: self._method(service, DeltaSession),
            }
            handlers.append(grpc.method_handlers_generic_handler(service.name, methods))
        server.add_generic_rpc_handlers(tuple(handlers))

    # Streams

    def _method(self, service: Service, protocol: Protocol) -> Any:
        async def stream(_requests: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
            refused = await self._serve(context, protocol, service.only)
            if refused is not None:
                await context.abort(refused.status, str(refused))

        return grpc.stream_stream_rpc_method_handler(stream)

    async def _serve(self, transport: Transport, protocol: Protocol, only: str | None) -> Refused | None:
        try:
            self._check_ready()
            first = await transport.read()
            if first is END:
                return None
            request = protocol.parse(first)
            session = protocol(*self._admit(request.node), self._settings, only)
            session.take(request, self._clock())
            del first, request  # 61 KB that would stay as long as the stream
        except Refused as refused:
            return refused.with_traceback(None)
        return await Stream(transport, session, self.fleet, self._clock).run()

    def _check_ready(self) -> None:
        if not self.ready:
            raise NotReady("the state is not loaded yet")

    def _admit(self, node: NodeIdentity | None) -> tuple[NodeIdentity, Group]:
        if node is None or not node.id:
            raise BadRequest("the first request of a stream must carry a node with an id")
        limit = self._settings.max_name_bytes
        if any(len(said) > limit for said in (node.id, node.cluster, node.version, node.user_agent)):
            raise BadRequest(f"a node's id, cluster and user agent may have {limit} characters each")
        name = self._group_of(node)
        if name is None:
            raise UnknownGroup(
                f"node {node.id!r} of cluster {node.cluster!r} belongs to no group that is served here"
            )
        group = self._groups.get(name)
        if group is None or not group.published:
            raise NotReady(f"nothing is published yet for group {name!r}")
        return node, group

    def group(self, name: str) -> Group:
        group = self._groups.get(name)
        if group is None:
            group = self._groups[name] = Group(name, self._settings.references)
        return group

    def _wake(self, group: str) -> None:
        for stream in self.fleet.streams(group):
            stream.wake()
