"""What we encode, envoy-data-plane (another implementation, from the same API) reads the same."""

from __future__ import annotations

import pytest
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from bluegreen.model.endpoint import Endpoint
from bluegreen.model.gateway import Gateway
from bluegreen.model.service import HealthCheck, Protocol, Retries, Route, Service, Upstream
from bluegreen.model.steering import Affinity, AffinitySource, Mirror, MirroredMethods
from bluegreen.model.traffic import ServiceTraffic
from bluegreen.switches.envoy.translate.clusters import clusters
from bluegreen.switches.envoy.translate.endpoints import load_assignments
from bluegreen.switches.envoy.translate.listeners import listeners
from bluegreen.switches.envoy.translate.route_tables import RouteTable
from tests.envoy.translate.decoders import decoder
from tests.envoy.translate.samples import MANUAL, backend, service, traffic

PATHS = (
    Route("/"),
    Route("/ws", timeout=0, idle_timeout=0, websocket=True),
    Route("/once", exact=True, retries=Retries(attempts=0)),
)
SERVICES = [
    service(
        f"{protocol}-{'checked' if check else 'unchecked'}",
        domains=("*", "a.com"),
        routes=PATHS,
        upstream=Upstream(protocol=protocol, connect_timeout=0.25, panic_threshold=0),
        health_check=check,
    )
    for protocol in Protocol
    for check in (None, HealthCheck(interval=0.5))
]
SERVICES += [service(source, affinity=Affinity(source, "user"), routes=PATHS) for source in AffinitySource]
SERVICES += [
    service(f"copied-{methods}", mirror=Mirror(0.07, methods), manual_routing=MANUAL, routes=PATHS)
    for methods in MirroredMethods
]


def assert_read_alike(message: Message) -> None:
    read = decoder(message.DESCRIPTOR.full_name).parse(message.SerializeToString(deterministic=True))
    assert read.to_dict() == MessageToDict(message)
    assert type(message).FromString(bytes(read)) == message


@pytest.mark.parametrize("of", SERVICES, ids=lambda of: of.name)
def test_clusters_and_endpoints(of: Service) -> None:
    by_name = ServiceTraffic(of, (backend(1, "shop-blue:8080", weight=100, of=of),), preview=1)
    for wanted in (traffic(of), by_name):
        for made in clusters(wanted):
            assert_read_alike(made)
        for assignment in load_assignments(wanted):
            assert_read_alike(assignment)


@pytest.mark.parametrize("table", [RouteTable.production("edge"), RouteTable.preview("edge")])
@pytest.mark.parametrize("green", [0, 10, 100])
def test_route_tables(table: RouteTable, green: int) -> None:
    for each in SERVICES:
        table.put(traffic(each, green))
    table.put(ServiceTraffic(service("idle")))
    assert_read_alike(RouteConfiguration.FromString(table.encode()))


def test_listeners() -> None:
    for made in listeners(Gateway("edge", Endpoint("::1", 8080), Endpoint("127.0.0.1", 8081))):
        assert_read_alike(made)
