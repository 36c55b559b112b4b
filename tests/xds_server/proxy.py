"""Proxies that speak to a session directly, without gRPC: every message is under the test's control."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.endpoint.v3 import endpoint_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_pb2
from envoy.service.discovery.v3 import discovery_pb2

from xds_server import CLUSTER, ENDPOINT, LISTENER, ROUTE, NodeIdentity, XdsSettings
from xds_server.delta import DeltaSession
from xds_server.fleet import LiveStream
from xds_server.server import XdsServer
from xds_server.sotw import SotwSession

MESSAGES: dict[str, Any] = {
    CLUSTER: cluster_pb2.Cluster,
    ENDPOINT: endpoint_pb2.ClusterLoadAssignment,
    LISTENER: listener_pb2.Listener,
    ROUTE: route_pb2.RouteConfiguration,
}
SHORT = {CLUSTER: "CDS", ENDPOINT: "EDS", LISTENER: "LDS", ROUTE: "RDS"}


@dataclass
class Answer:
    """One response, decoded with protobuf's own parser."""

    type_url: str
    version: str
    nonce: str
    resources: dict[str, bytes]

    @property
    def names(self) -> list[str]:
        return sorted(self.resources)

    def __str__(self) -> str:
        return f"{SHORT.get(self.type_url, self.type_url)} {' '.join(self.names)}".strip()


def decode(data: bytes) -> Answer:
    message = discovery_pb2.DiscoveryResponse.FromString(data)
    resources: dict[str, Any] = {}
    for packed in message.resources:
        assert packed.type_url == message.type_url
        kind = MESSAGES.get(packed.type_url)
        if kind is None:
            resources[str(len(resources))] = packed.value
        else:
            inner = kind.FromString(packed.value)
            resources[getattr(inner, "cluster_name", "") or inner.name] = packed.value
    assert len(resources) == len(message.resources), "a resource came twice"
    return Answer(message.type_url, message.version_info, message.nonce, resources)


@dataclass
class Proxy:
    """Asks, answers and remembers. ``now`` is moved by the test."""

    server: XdsServer
    id: str = "proxy"
    group: str = "edge"
    now: float = 100.0
    asked: dict[str, tuple[str, ...]] = field(default_factory=dict)
    last: dict[str, Answer] = field(default_factory=dict)
    accepted: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        group = self.server.group(self.group)
        self.session = SotwSession(NodeIdentity(self.id, self.group), group, XdsSettings())
        self.live = LiveStream(self.session, lambda: None, self.now)
        self.server.fleet.join(self.live)

    def leave(self) -> None:
        self.server.fleet.leave(self.live)

    def ask(
        self, type_url: str, *names: str, nonce: str | None = None, error: str | None = None
    ) -> list[str]:
        """Send a request, as after the last response unless told otherwise; returns what comes of it."""
        self.asked[type_url] = names
        request = discovery_pb2.DiscoveryRequest(type_url=type_url, resource_names=names)
        request.version_info = self.accepted.get(type_url, "")
        last = self.last.get(type_url)
        request.response_nonce = (last.nonce if last else "") if nonce is None else nonce
        if error is not None:
            request.error_detail.code, request.error_detail.message = 13, error
        self.session.receive(request.SerializeToString(), self.now)
        return self.take()

    def ack(self, type_url: str) -> list[str]:
        self.accepted[type_url] = self.last[type_url].version
        return self.ask(type_url, *self.asked[type_url])

    def nack(self, type_url: str, text: str = "no good") -> list[str]:
        return self.ask(type_url, *self.asked[type_url], error=text)

    def take(self) -> list[str]:
        """All that the server has to say now."""
        said = []
        while (data := self.session.next_response(self.now)) is not None:
            answer = decode(data)
            self.last[answer.type_url] = answer
            said.append(str(answer))
        return said

    def settle(self) -> list[str]:
        """Accept everything until there is nothing left; returns all that was said."""
        said = self.take()
        waiting = True
        while waiting:
            waiting = False
            for type_url in (CLUSTER, ENDPOINT, LISTENER, ROUTE):
                channel = self.session.channels.get(type_url)
                if channel and channel.outstanding:
                    said += self.ack(type_url)
                    waiting = True
        return said

    def start(self, *tables: str) -> None:
        """As Envoy does: clusters, their endpoints, listeners, the named route tables; all acknowledged."""
        self.ask(CLUSTER)
        self.ack(CLUSTER)
        self.ask(ENDPOINT, *self.last[CLUSTER].names)
        self.settle()
        self.ask(LISTENER)
        self.settle()
        self.ask(ROUTE, *tables)
        self.settle()

    def acked(self, type_url: str) -> int | None:
        state = self.server.fleet.get(self.id)
        assert state is not None
        return state.acked_generation(type_url)


@dataclass
class DeltaAnswer:
    """One incremental response, decoded with protobuf's own parser."""

    type_url: str
    version: str
    nonce: str
    versions: dict[str, str]
    removed: list[str]

    def __str__(self) -> str:
        words = [SHORT.get(self.type_url, self.type_url), *sorted(self.versions)]
        return " ".join(words + [f"-{name}" for name in self.removed])


def decode_delta(data: bytes) -> DeltaAnswer:
    message = discovery_pb2.DeltaDiscoveryResponse.FromString(data)
    for resource in message.resources:
        assert resource.resource.type_url == message.type_url
        inner = MESSAGES[message.type_url].FromString(resource.resource.value)
        assert resource.name == (getattr(inner, "cluster_name", "") or inner.name)
    versions = {resource.name: resource.version for resource in message.resources}
    assert len(versions) == len(message.resources), "a resource came twice"
    removed = list(message.removed_resources)
    return DeltaAnswer(message.type_url, message.system_version_info, message.nonce, versions, removed)


@dataclass
class DeltaProxy:
    """As Proxy, for the incremental protocol; remembers what it holds, as a client does."""

    server: XdsServer
    id: str = "proxy"
    group: str = "edge"
    now: float = 100.0
    held: dict[str, dict[str, str]] = field(default_factory=dict)
    last: dict[str, DeltaAnswer] = field(default_factory=dict)
    unanswered: list[DeltaAnswer] = field(default_factory=list)

    def __post_init__(self) -> None:
        group = self.server.group(self.group)
        self.session = DeltaSession(NodeIdentity(self.id, self.group), group, XdsSettings())
        self.live = LiveStream(self.session, lambda: None, self.now)
        self.server.fleet.join(self.live)

    def leave(self) -> None:
        self.server.fleet.leave(self.live)

    def ask(
        self,
        type_url: str,
        *subscribe: str,
        drop: tuple[str, ...] = (),
        versions: dict[str, str] | None = None,
        nonce: str = "",
        error: str | None = None,
    ) -> list[str]:
        request = discovery_pb2.DeltaDiscoveryRequest(type_url=type_url, response_nonce=nonce)
        request.resource_names_subscribe.extend(subscribe)
        request.resource_names_unsubscribe.extend(drop)
        request.initial_resource_versions.update(versions or {})
        if error is not None:
            request.error_detail.code, request.error_detail.message = 13, error
        self.session.receive(request.SerializeToString(), self.now)
        return self.take()

    def ack(self, type_url: str) -> list[str]:
        return self.answer(self.last[type_url])

    def nack(self, type_url: str, text: str = "no good") -> list[str]:
        return self.answer(self.last[type_url], text)

    def answer(self, answer: DeltaAnswer, error: str | None = None) -> list[str]:
        self.unanswered.remove(answer)
        return self.ask(answer.type_url, nonce=answer.nonce, error=error)

    def take(self) -> list[str]:
        said = []
        while (data := self.session.next_response(self.now)) is not None:
            answer = decode_delta(data)
            self.last[answer.type_url] = answer
            self.unanswered.append(answer)
            held = self.held.setdefault(answer.type_url, {})
            held.update(answer.versions)
            for name in answer.removed:
                held.pop(name, None)
            said.append(str(answer))
        return said

    def settle(self) -> list[str]:
        """Accept everything until there is nothing left; returns all that was said."""
        said = self.take()
        while self.unanswered:
            said += self.answer(self.unanswered[0])
        return said

    def start(self, *tables: str) -> None:
        """As Envoy does: clusters, their endpoints, listeners, the named route tables; all acknowledged."""
        self.ask(CLUSTER)
        self.settle()
        self.ask(ENDPOINT, *self.held[CLUSTER])
        self.settle()
        self.ask(LISTENER)
        self.settle()
        self.ask(ROUTE, *tables)
        self.settle()

    def acked(self, type_url: str) -> int | None:
        state = self.server.fleet.get(self.id)
        assert state is not None
        return state.acked_generation(type_url)
