"""The server: groups, published state and the gRPC services in front of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import grpc

from .errors import BadRequest, NotReady, Refused, UnknownGroup
from .fleet import Fleet
from .group import Group
from .node import NodeIdentity
from .resource import Resource
from .session import Session
from .settings import XdsSettings
from .sotw import SotwSession
from .stream import GrpcTransport, Stream
from .wire import parse_request

ADS: Final = "envoy.service.discovery.v3.AggregatedDiscoveryService"


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
        self._ready = False
        self.fleet = Fleet(clock)

    @property
    def ready(self) -> bool:
        return self._ready

    def start_serving(self) -> None:
        """The state is loaded: answer from now on. Until then every stream is refused with UNAVAILABLE (row
        READY).
        """
        self._ready = True

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

    def generation(self, group: str) -> int:
        """The group's present generation; 0 before anything was published."""
        state = self._groups.get(group)
        return state.generation if state else 0

    def add_to(self, server: grpc.aio.Server) -> None:
        """Register the discovery services."""
        handlers: dict[str, Any] = {
            "StreamAggregatedResources": grpc.stream_stream_rpc_method_handler(self._stream_aggregated),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(ADS, handlers),))

    # Streams

    async def _stream_aggregated(self, _requests: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        refused = await self._serve(GrpcTransport(context))
        if refused is not None:
            await context.abort(refused.status, str(refused))

    async def _serve(self, transport: GrpcTransport) -> Refused | None:
        try:
            self._check_ready()
            first = await transport.read()
            if first is None:
                return None
            session = self._open(first)
        except Refused as refused:
            return refused
        return await Stream(transport, session, self.fleet, self._clock).run(first)

    def _check_ready(self) -> None:
        if not self._ready:
            raise NotReady("the state is not loaded yet")

    def _open(self, first: bytes) -> Session:
        node = parse_request(first).node
        if node is None or not node.id:
            raise BadRequest("the first request of a stream must carry a node with an id")
        name = self._group_of(node)
        if name is None:
            raise UnknownGroup(
                f"node {node.id!r} of cluster {node.cluster!r} belongs to no group that is served here"
            )
        group = self._groups.get(name)
        if group is None or not group.published:
            raise NotReady(f"nothing is published yet for group {name!r}")
        return SotwSession(node, group, self._settings)

    def group(self, name: str) -> Group:
        group = self._groups.get(name)
        if group is None:
            group = self._groups[name] = Group(name, self._settings.references)
        return group

    def _wake(self, group: str) -> None:
        for stream in self.fleet.streams(group):
            stream.wake()
