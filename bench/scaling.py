"""One endpoint changes among many services: does the work grow with what changed, or with what exists?

Measured at the sessions, without gRPC: publishing, the response for each proxy, its acknowledgement.
"""

from __future__ import annotations

import gc
import statistics
import time
from dataclasses import dataclass
from typing import Any

from envoy.service.discovery.v3 import discovery_pb2

from bench import resources
from xds_server import CLUSTER, ENDPOINT, LISTENER, ROUTE, NodeIdentity, Resource, XdsServer, XdsSettings
from xds_server.delta import DeltaSession
from xds_server.sotw import SotwSession

ENDPOINTS = 50
PROXIES = 50
CHANGES = 100


@dataclass(frozen=True, slots=True)
class Growth:
    """CPU seconds: the first snapshot for all proxies; milliseconds: one change published (the median), and
    its way to one proxy.
    """

    protocol: str
    services: int
    build: float
    first: float
    publish: float
    answer: float
    acknowledge: float


def measure(protocol: str, services: int) -> Growth:
    names = [f"service-{number:04}" for number in range(services)]
    gc.collect()
    gc.freeze()  # what was measured before is not walked in the middle of this
    begun = time.process_time()
    snapshot = [Resource.of(resources.cluster(name)) for name in names]
    snapshot += [Resource.of(resources.endpoints(name, ENDPOINTS)) for name in names]
    snapshot += [Resource.of(resources.listener()), Resource.of(resources.route(0))]
    server = XdsServer(lambda node: node.cluster)
    server.publish("edge", snapshot)
    built = time.process_time()
    clients = [_Client(protocol, server, number, names) for number in range(PROXIES)]
    first = time.process_time()
    answer = acknowledge = 0.0
    publish = []
    for number in range(CHANGES):
        changed = resources.endpoints(names[number % services], ENDPOINTS, shift=number + 1)
        start = time.process_time()
        server.change("edge", [Resource.of(changed)])
        published = time.process_time()
        answers = [client.session.next_response(0.0) for client in clients]
        answered = time.process_time()
        acks = [client.ack(data) for client, data in zip(clients, answers, strict=True)]
        ready = time.process_time()
        for client, ack in zip(clients, acks, strict=True):
            client.session.receive(ack, 0.0)
            client.session.next_response(0.0)
        publish.append(published - start)
        answer += answered - published
        acknowledge += time.process_time() - ready
    each = CHANGES * PROXIES / 1e3
    return Growth(
        protocol,
        services,
        built - begun,
        first - built,
        statistics.median(publish) * 1e3,
        answer / each,
        acknowledge / each,
    )


class _Client:
    def __init__(self, protocol: str, server: XdsServer, number: int, names: list[str]) -> None:
        kind = SotwSession if protocol == "sotw" else DeltaSession
        self.delta = protocol == "delta"
        self.session = kind(NodeIdentity(f"p{number}", "edge"), server.group("edge"), XdsSettings())
        # What a state-of-the-world ACK repeats; in bytes, so that the client leaves the server its caches.
        self.repeated: dict[str, bytes] = {}
        for type_url, asked in ((CLUSTER, []), (ENDPOINT, names), (LISTENER, []), (ROUTE, ["table"])):
            self.session.receive(self.request(type_url=type_url, **self.naming(asked)), 0.0)
            self.repeated[type_url] = b"" if self.delta else self.request(**self.naming(asked))
            self.session.receive(self.ack(self.session.next_response(0.0)), 0.0)

    def naming(self, names: list[str]) -> dict[str, Any]:
        return {"resource_names_subscribe" if self.delta else "resource_names": names}

    def request(self, **fields: Any) -> bytes:
        kind = discovery_pb2.DeltaDiscoveryRequest if self.delta else discovery_pb2.DiscoveryRequest
        return bytes(kind(**fields).SerializeToString())

    def ack(self, data: bytes | None) -> bytes:
        assert data is not None  # noqa: S101 - a benchmark of something that does not work is worth nothing
        if self.delta:
            news = discovery_pb2.DeltaDiscoveryResponse.FromString(data)
            return self.request(type_url=news.type_url, response_nonce=news.nonce)
        response = discovery_pb2.DiscoveryResponse.FromString(data)
        rest = self.request(type_url=response.type_url, response_nonce=response.nonce)
        return self.request(version_info=response.version_info) + self.repeated[response.type_url] + rest
