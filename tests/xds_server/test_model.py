"""Random interleavings of requests, answers, losses and publishes against a model of an honest client, in
both protocols.

The client applies what it accepts, and an arbitrary part of what it refuses. It must never route to a cluster
that it does not have; what the server counts as acknowledged must be what the client has; and once it accepts
everything it must end with what is published.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from envoy.service.discovery.v3 import discovery_pb2
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.xds_server.conftest import by_cluster
from tests.xds_server.proxy import MESSAGES
from tests.xds_server.resources import cluster, endpoints, listener, route
from xds_server import CLUSTER, ENDPOINT, LISTENER, ROUTE, NodeIdentity, Resource, XdsServer, XdsSettings
from xds_server.delta import DeltaSession
from xds_server.fleet import LiveStream
from xds_server.session import Session
from xds_server.sotw import SotwSession
from xds_server.types import FULL_STATE

NAMES = ("a", "b", "c", "d")
TYPES = (CLUSTER, ENDPOINT, LISTENER, ROUTE)
SNAPSHOTS = st.tuples(
    st.dictionaries(st.sampled_from(NAMES), st.integers(1, 3), min_size=1),
    st.dictionaries(st.sampled_from(("table", "other")), st.sets(st.sampled_from(NAMES), max_size=2)),
    st.integers(1, 3),
)


def build(drawn: tuple[dict[str, int], dict[str, set[str]], int]) -> list[Resource]:
    """A consistent snapshot: routes lead to clusters that are in it, listeners to route tables that are."""
    clusters, routes, port = drawn
    resources = [cluster(name, seconds) for name, seconds in clusters.items()]
    resources += [endpoints(name, port) for name in clusters]
    resources += [
        route(name, **{target: 1 for target in sorted(targets) if target in clusters})
        for name, targets in routes.items()
    ]
    resources += [listener(f"on-{name}", name, 80 + port + len(name)) for name in routes]
    return resources


class Model(RuleBasedStateMachine):
    """One client and one server with a wire between them that may be cut."""

    protocol: type[Session]

    @initialize(drawn=SNAPSHOTS)
    def start(self, drawn: Any) -> None:
        self.server = XdsServer(by_cluster)
        self.history: list[dict[tuple[str, str], Resource]] = [{}]
        self.held: dict[str, dict[str, bytes]] = {type_url: {} for type_url in TYPES}
        self.now = 0.0
        self.live: LiveStream | None = None
        self.publish(drawn)
        self.connect()

    # The server's side

    @rule(drawn=SNAPSHOTS)
    def publish(self, drawn: Any) -> None:
        resources = build(drawn)
        generation = self.server.publish("edge", resources)
        if generation == len(self.history):
            self.history.append({resource.key: resource for resource in resources})
        assert generation == len(self.history) - 1

    @rule(back=st.integers(1, 3))
    def publish_something_old(self, back: int) -> None:
        resources = list(self.history[-min(back, len(self.history) - 1)].values())
        if self.server.publish("edge", resources) == len(self.history):
            self.history.append({resource.key: resource for resource in resources})

    @rule()
    def pump(self) -> None:
        while (data := self.session.next_response(self.now)) is not None:
            self.wire.append(data)

    @rule(seconds=st.sampled_from([0.1, 0.6]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    # The client's side

    @rule()
    def connect(self) -> None:
        """Begin a new stream, with what was held from before."""
        if self.live is not None:
            self.server.fleet.leave(self.live)
        node = NodeIdentity("p", "edge")
        self.session = self.protocol(node, self.server.group("edge"), XdsSettings())
        self.live = LiveStream(self.session, lambda: None, self.now)
        self.server.fleet.join(self.live)
        self.wire: deque[bytes] = deque()
        self.begin()

    def begin(self) -> None:
        raise NotImplementedError

    def deliver(self, keep: set[int] | None) -> None:
        """Take the next message off the wire: accept it, or refuse it and apply a part of it all the same."""
        raise NotImplementedError

    @rule()
    def accept(self) -> None:
        if self.wire:
            self.deliver(None)

    @rule(keep=st.sets(st.integers(0, 3)))
    def refuse(self, keep: set[int]) -> None:
        if self.wire:
            self.deliver(keep)

    # What must hold

    @invariant()
    def routes_lead_to_clusters_that_are_there(self) -> None:
        for body in self.held[ROUTE].values():
            table = MESSAGES[ROUTE].FromString(body)
            for entry in table.virtual_hosts[0].routes:
                for target in entry.route.weighted_clusters.clusters:
                    assert target.name in self.held[CLUSTER], f"{table.name} leads to {target.name}"

    @invariant()
    def what_counts_as_acknowledged_is_there(self) -> None:
        proxy = self.server.fleet.get("p")
        assert proxy is not None
        for type_url, state in proxy.types.items():
            if state.acked_generation is None:
                continue
            later = self.history[state.acked_generation :]
            subscription = self.session.channels[type_url].subscription
            for name in {*self.held[type_url], *(n for t, n in later[0] if t == type_url)}:
                if not subscription.covers(name):
                    continue
                channel = self.session.channels[type_url]
                if channel.sent.get(name) is None or name in channel.doubts:
                    continue  # asked for since, or under way
                has = self.held[type_url].get(name)
                could = [s[(type_url, name)].body if (type_url, name) in s else None for s in later]
                unsaid = (
                    isinstance(self.session, SotwSession) and type_url not in FULL_STATE and None in could
                )
                assert has in could or unsaid, f"{name} is not as in generation {state.acked_generation}"

    def teardown(self) -> None:
        """An honest client that accepts everything ends with what is published."""
        if self.live is None:
            return
        # What was refused is sent again only with something new.
        self.publish(({"a": 9, "b": 9, "c": 9}, {"table": {"a", "b", "c"}, "other": {"a", "b", "c"}}, 9))
        for _ in range(200):
            self.pump()
            if not self.wire:
                self.now += 1
                self.pump()
            if not self.wire:
                break
            self.deliver(None)
        else:
            raise AssertionError("it never ends")
        current = self.history[-1]
        proxy = self.server.fleet.get("p")
        assert proxy is not None
        for type_url in TYPES:
            wanted = {name: r.body for (t, name), r in current.items() if t == type_url}
            held = self.held[type_url]
            if type_url in FULL_STATE:
                assert held == wanted, type_url
            else:
                assert {name: held.get(name) for name in wanted} == wanted, type_url
            if type_url in proxy.types:
                assert proxy.acked_generation(type_url) == len(self.history) - 1, type_url
        self.routes_lead_to_clusters_that_are_there()


class SotwModel(Model):
    protocol = SotwSession

    def begin(self) -> None:
        self.nonces: dict[str, str] = {}
        self.versions: dict[str, str] = getattr(self, "versions", {})
        for type_url in TYPES:
            self.ask(type_url)

    def names(self, type_url: str) -> list[str]:
        match type_url:
            case t if t == ENDPOINT:
                return sorted(self.held[CLUSTER])
            case t if t == ROUTE:
                return ["other", "table"]
            case _:
                return []

    def ask(self, type_url: str, error: str = "") -> None:
        request = discovery_pb2.DiscoveryRequest(
            type_url=type_url,
            resource_names=self.names(type_url),
            response_nonce=self.nonces.get(type_url, ""),
            version_info=self.versions.get(type_url, ""),
        )
        if error:
            request.error_detail.message = error
        self.session.receive(request.SerializeToString(), self.now)

    def deliver(self, keep: set[int] | None) -> None:
        message = discovery_pb2.DiscoveryResponse.FromString(self.wire.popleft())
        new = {}
        for packed in message.resources:
            inner = MESSAGES[message.type_url].FromString(packed.value)
            new[getattr(inner, "cluster_name", "") or inner.name] = packed.value
        held = self.held[message.type_url]
        if message.type_url in FULL_STATE and keep is None:
            held.clear()
        held.update({name: body for at, (name, body) in enumerate(new.items()) if keep is None or at in keep})
        self.nonces[message.type_url] = message.nonce
        if keep is None:
            self.versions[message.type_url] = message.version_info
        self.ask(message.type_url, "" if keep is None else "refused")
        if message.type_url == CLUSTER:
            self.held[ENDPOINT] = {n: b for n, b in self.held[ENDPOINT].items() if n in self.held[CLUSTER]}
            self.ask(ENDPOINT)


class DeltaModel(Model):
    protocol = DeltaSession

    def begin(self) -> None:
        for type_url in TYPES:
            request = discovery_pb2.DeltaDiscoveryRequest(type_url=type_url)
            if type_url == ROUTE:
                request.resource_names_subscribe.extend(["other", "table"])
            if type_url == ENDPOINT:
                request.resource_names_subscribe.extend(self.held[CLUSTER])
            self.asked = set(self.held[CLUSTER])
            for name, body in self.held[type_url].items():
                request.initial_resource_versions[name] = Resource(type_url, name, body).version
            self.session.receive(request.SerializeToString(), self.now)

    def deliver(self, keep: set[int] | None) -> None:
        message = discovery_pb2.DeltaDiscoveryResponse.FromString(self.wire.popleft())
        held = self.held[message.type_url]
        for at, resource in enumerate(message.resources):
            if keep is None or at in keep:
                held[resource.name] = resource.resource.value
        for at, name in enumerate(message.removed_resources):
            if keep is None or at in keep:
                held.pop(name, None)
        answer = discovery_pb2.DeltaDiscoveryRequest(type_url=message.type_url, response_nonce=message.nonce)
        if keep is not None:
            answer.error_detail.message = "refused"
        self.session.receive(answer.SerializeToString(), self.now)
        if message.type_url == CLUSTER:
            self.follow_clusters()

    def follow_clusters(self) -> None:
        clusters = set(self.held[CLUSTER])
        request = discovery_pb2.DeltaDiscoveryRequest(type_url=ENDPOINT)
        request.resource_names_subscribe.extend(sorted(clusters - self.asked))
        request.resource_names_unsubscribe.extend(sorted(self.asked - clusters))
        for name in self.asked - clusters:
            self.held[ENDPOINT].pop(name, None)
        self.asked = clusters
        self.session.receive(request.SerializeToString(), self.now)


LIMITS = settings(
    max_examples=30,
    stateful_step_count=30,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
TestSotwModel = SotwModel.TestCase
TestSotwModel.settings = LIMITS
TestDeltaModel = DeltaModel.TestCase
TestDeltaModel.settings = LIMITS
