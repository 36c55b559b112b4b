"""Facts that are kept prove no more and no less than those of the moment."""

from __future__ import annotations

from typing import Any

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.service.discovery.v3.discovery_pb2 import DiscoveryRequest, DiscoveryResponse

from bluegreen.switches.envoy.proxy_states import ProxyStates
from xds_server import CLUSTER, Fleet, NodeIdentity, ProxyState, Resource, XdsServer, XdsSettings
from xds_server.fleet import LiveStream
from xds_server.sotw import SotwSession


class Proxy:
    """One stream without gRPC."""

    def __init__(self, server: XdsServer) -> None:
        node = NodeIdentity("edge-1", "edge")
        self.session = SotwSession(node, server.group("edge"), XdsSettings())
        self._fleet = server.fleet
        self._live = LiveStream(self.session, lambda: None, 0.0)
        self._fleet.join(self._live)
        self.say()

    def say(self, nonce: str = "") -> None:
        request = DiscoveryRequest(type_url=CLUSTER, response_nonce=nonce)
        self.session.receive(request.SerializeToString(), 0.0)
        self._fleet.note(self._live)

    def follow(self) -> None:
        """Receive and acknowledge all there is."""
        while data := self.send():
            self.acknowledge(data)

    def send(self) -> bytes | None:
        data = self.session.next_response(0.0)
        self._fleet.note(self._live)
        return data

    def acknowledge(self, data: bytes | None) -> None:
        self.say(DiscoveryResponse.FromString(data or b"").nonce)

    def leave(self) -> None:
        self._fleet.leave(self._live)


class Counted(Fleet):
    """Counts how often a proxy's facts are put together."""

    asked = 0

    def get(self, node_id: str) -> ProxyState | None:
        self.asked += 1
        return super().get(node_id)


def cluster(seconds: int) -> Resource:
    message: Any = Cluster(name="one")
    message.connect_timeout.seconds = seconds
    return Resource.of(message)


def served() -> tuple[XdsServer, Counted, ProxyStates]:
    server = XdsServer(lambda node: node.cluster)
    fleet = server.fleet = Counted()
    states = ProxyStates(fleet)
    fleet.on_change(states.drop)
    server.publish("edge", [cluster(1)])
    return server, fleet, states


def test_what_is_kept_is_not_put_together_again() -> None:
    server, fleet, states = served()
    Proxy(server).follow()
    assert fleet.asked == 0, "nobody has looked"
    for _ in range(3):
        state = states.get("edge-1", clusters=server.generation("edge"))
        assert state is not None
        assert state.acked_generation(CLUSTER) == server.generation("edge")
    assert fleet.asked == 1


def test_while_a_proxy_owes_an_answer_nothing_is_looked_up() -> None:
    server, fleet, states = served()
    proxy = Proxy(server)
    proxy.follow()
    generation = server.change("edge", [cluster(2)])
    data = proxy.send()
    for _ in range(3):
        state = states.get("edge-1", clusters=generation)
        assert state is not None
        assert state.acked_generation(CLUSTER) != generation
    assert fleet.asked == 1
    proxy.acknowledge(data)
    state = states.get("edge-1", clusters=generation)
    assert state is not None
    assert state.acked_generation(CLUSTER) == generation


def test_what_a_proxy_has_without_a_word_is_found() -> None:
    server, _, states = served()
    proxy = Proxy(server)
    proxy.follow()
    server.change("edge", [cluster(2)])
    generation = server.change("edge", [cluster(1)])
    assert proxy.session.next_response(0.0) is None, "it has been taken back: there is nothing to say"
    state = states.get("edge-1", clusters=generation)
    assert state is not None
    assert state.acked_generation(CLUSTER) == generation


def test_a_proxy_that_left_is_not_kept() -> None:
    server, _, states = served()
    proxy = Proxy(server)
    proxy.follow()
    assert states.get("edge-1") is not None
    proxy.leave()
    assert states.get("edge-1") is None
