"""Each refusal counts once, however often its proxy is looked at."""

from __future__ import annotations

from envoy.service.discovery.v3.discovery_pb2 import DiscoveryRequest, DiscoveryResponse

from bluegreen.switches.envoy.nack_counts import NackCounts
from tests.envoy.test_proxy_states import Proxy, cluster
from xds_server import CLUSTER, XdsServer


class Counting:
    """A proxy of which each word is noted as the switch does."""

    def __init__(self) -> None:
        self.server = XdsServer(lambda node: node.cluster)
        self.counts = NackCounts()
        fleet = self.server.fleet
        fleet.on_change(lambda proxy: self.counts.note(proxy, fleet.refusals(proxy)))
        self.server.publish("edge", [cluster(1)])
        self.proxy = Proxy(self.server)
        self.proxy.follow()

    def change(self, seconds: int, *, refuse: bool) -> None:
        self.server.change("edge", [cluster(seconds)])
        data = self.proxy.send()
        if not refuse:
            return self.proxy.acknowledge(data)
        request = DiscoveryRequest(type_url=CLUSTER)
        request.response_nonce = DiscoveryResponse.FromString(data or b"").nonce
        request.error_detail.message = "no"
        self.proxy.session.receive(request.SerializeToString(), 0.0)

    @property
    def counted(self) -> int:
        for _ in range(3):
            self.proxy.send()  # there is nothing, but it is told of
        return self.counts.of("edge-1", CLUSTER)


def test_a_refusal_counts_once() -> None:
    counting = Counting()
    assert counting.counted == 0
    counting.change(2, refuse=True)
    assert counting.counted == 1


def test_what_is_refused_anew_counts_anew() -> None:
    counting = Counting()
    counting.change(2, refuse=True)
    assert counting.counted == 1
    counting.change(3, refuse=True)
    assert counting.counted == 2
    counting.change(4, refuse=False)
    assert counting.counted == 2
    counting.change(5, refuse=True)
    assert counting.counted == 3
