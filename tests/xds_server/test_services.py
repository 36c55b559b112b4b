"""All services over real gRPC, both protocols; times to live; health."""

# ruff: noqa: N802 - the names carry the ids of their rows
from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import grpc
import pytest
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from envoy.service.discovery.v3 import discovery_pb2
from envoy.service.runtime.v3 import rtds_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc  # type: ignore[import-untyped]

from tests.xds_server.conftest import by_cluster, listen, proxy, settled
from tests.xds_server.resources import cluster, endpoints, listener, route
from xds_server import (
    CLUSTER,
    ENDPOINT,
    ROUTE,
    InconsistentSnapshot,
    NodeIdentity,
    Resource,
    XdsServer,
    XdsSettings,
)
from xds_server.delta import DeltaSession
from xds_server.group import Group
from xds_server.settings import References
from xds_server.sotw import SotwSession

SERVICES = [
    ("cluster.v3.cds", "ClusterDiscoveryService", "Clusters", cluster("x")),
    ("endpoint.v3.eds", "EndpointDiscoveryService", "Endpoints", endpoints("x")),
    ("listener.v3.lds", "ListenerDiscoveryService", "Listeners", listener("x")),
    ("route.v3.rds", "RouteDiscoveryService", "Routes", route("x")),
    ("secret.v3.sds", "SecretDiscoveryService", "Secrets", Resource.of(secret_pb2.Secret(name="x"))),
    ("runtime.v3.rtds", "RuntimeDiscoveryService", "Runtime", Resource.of(rtds_pb2.Runtime(name="x"))),
    ("discovery.v3.ads", "AggregatedDiscoveryService", "AggregatedResources", route("x")),
]


def method(address: grpc.aio.Channel, where: Sequence[str], kind: str) -> Any:
    module, service, noun = where
    stub = getattr(import_module(f"envoy.service.{module}_pb2_grpc"), f"{service}Stub")
    return getattr(stub(address), kind + noun)()


@pytest.mark.parametrize("where", SERVICES, ids=[service[1] for service in SERVICES])
async def test_TYPES_sotw(server: XdsServer, address: str, where: tuple[str, str, str, Resource]) -> None:
    *names, resource = where
    generation = server.publish("edge", [resource])
    async with grpc.aio.insecure_channel(address) as channel:
        call = method(channel, names, "Stream")
        request = discovery_pb2.DiscoveryRequest(type_url=resource.type_url, resource_names=["x"])
        request.node.id, request.node.cluster = "p", "edge"
        await call.write(request)
        response = await call.read()
        assert [packed.value for packed in response.resources] == [resource.body]
        request.response_nonce = response.nonce
        await call.write(request)
        await settled(server, lambda: proxy(server, "p").acked_generation(resource.type_url) == generation)
        call.cancel()


@pytest.mark.parametrize("where", SERVICES, ids=[service[1] for service in SERVICES])
async def test_TYPES_delta(server: XdsServer, address: str, where: tuple[str, str, str, Resource]) -> None:
    *names, resource = where
    generation = server.publish("edge", [resource])
    async with grpc.aio.insecure_channel(address) as channel:
        call = method(channel, names, "Delta")
        request = discovery_pb2.DeltaDiscoveryRequest(
            type_url=resource.type_url, resource_names_subscribe=["x"]
        )
        request.node.id, request.node.cluster = "p", "edge"
        await call.write(request)
        response = await call.read()
        assert [(r.name, r.version, r.resource.value) for r in response.resources] == [
            ("x", resource.version, resource.body)
        ]
        await call.write(
            discovery_pb2.DeltaDiscoveryRequest(type_url=resource.type_url, response_nonce=response.nonce)
        )
        await settled(server, lambda: proxy(server, "p").acked_generation(resource.type_url) == generation)
        call.cancel()


@pytest.mark.parametrize("kind", ["Stream", "Delta"])
async def test_BADREQ_a_foreign_type_on_a_per_type_service(
    server: XdsServer, address: str, kind: str
) -> None:
    server.publish("edge", [route("r")])
    message = {"Stream": discovery_pb2.DiscoveryRequest, "Delta": discovery_pb2.DeltaDiscoveryRequest}[kind]
    async with grpc.aio.insecure_channel(address) as channel:
        call = method(channel, SERVICES[0][:3], kind)
        request = message(type_url=ROUTE)
        request.node.id, request.node.cluster = "p", "edge"
        await call.write(request)
        async with asyncio.timeout(10):
            assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT
        call = method(channel, SERVICES[0][:3], kind)
        request.type_url = ""
        await call.write(request)
        assert (await call.read()).type_url == cluster("x").type_url
        call.cancel()


def group_of(*resources: Resource) -> Group:
    group = Group("edge", References.FREE)
    group.publish(resources)
    return group


def session(kind: Any, group: Group, *features: str) -> Any:
    return kind(NodeIdentity("p", "edge", features=frozenset(features)), group, XdsSettings())


LIVED = Resource(ROUTE, "r", route("r").body, 10.0)
FEATURE = "xds.config.supports-resource-ttl"


def test_TTL_sotw_only_for_those_who_announce_it() -> None:
    group = group_of(LIVED, route("forever"))
    request = discovery_pb2.DiscoveryRequest(type_url=ROUTE, resource_names=["r", "forever"])
    plain = session(SotwSession, group)
    plain.receive(request.SerializeToString(), 0.0)
    response = discovery_pb2.DiscoveryResponse.FromString(plain.next_response(0.0))
    assert {packed.type_url for packed in response.resources} == {ROUTE}
    assert plain.next_response(100.0) is None

    able = session(SotwSession, group, FEATURE)
    able.receive(request.SerializeToString(), 0.0)
    response = discovery_pb2.DiscoveryResponse.FromString(able.next_response(0.0))
    wrapped = discovery_pb2.Resource()
    assert sum(packed.Unpack(wrapped) for packed in response.resources) == 1
    assert (wrapped.name, wrapped.ttl.seconds, wrapped.resource.value) == ("r", 10, LIVED.body)


def test_TTL_sotw_heartbeats() -> None:
    able = session(SotwSession, group_of(LIVED), FEATURE)
    request = discovery_pb2.DiscoveryRequest(type_url=ROUTE, resource_names=["r"])
    able.receive(request.SerializeToString(), 0.0)
    first = discovery_pb2.DiscoveryResponse.FromString(able.next_response(0.0))
    request.response_nonce = first.nonce
    able.receive(request.SerializeToString(), 1.0)
    assert able.next_response(1.0) is None
    assert able.wake_at == 5.0
    beat = discovery_pb2.DiscoveryResponse.FromString(able.next_response(5.0))
    wrapped = discovery_pb2.Resource()
    assert beat.resources[0].Unpack(wrapped)
    assert (wrapped.name, wrapped.HasField("resource"), wrapped.ttl.seconds) == ("r", False, 10)
    assert beat.version_info == first.version_info
    assert able.next_response(5.0) is None
    assert able.wake_at == 10.0


def test_TTL_sotw_a_whole_set_is_renewed_whole() -> None:
    lived = Resource(cluster("c").type_url, "c", cluster("c").body, 4.0)
    able = session(SotwSession, group_of(lived, cluster("d")), FEATURE)
    request = discovery_pb2.DiscoveryRequest(type_url=lived.type_url)
    able.receive(request.SerializeToString(), 0.0)
    first = discovery_pb2.DiscoveryResponse.FromString(able.next_response(0.0))
    request.response_nonce = first.nonce
    able.receive(request.SerializeToString(), 1.0)
    beat = discovery_pb2.DiscoveryResponse.FromString(able.next_response(2.0))
    assert len(beat.resources) == 2, "a set without the other would delete it"
    assert able.next_response(2.0) is None


def test_TTL_delta_heartbeats_only_for_those_who_announce_it() -> None:
    group = group_of(LIVED, route("forever"))
    request = discovery_pb2.DeltaDiscoveryRequest(type_url=ROUTE, resource_names_subscribe=["*"])
    plain = session(DeltaSession, group)
    plain.receive(request.SerializeToString(), 0.0)
    response = discovery_pb2.DeltaDiscoveryResponse.FromString(plain.next_response(0.0))
    assert not any(resource.HasField("ttl") for resource in response.resources)
    assert plain.next_response(100.0) is None

    able = session(DeltaSession, group, FEATURE)
    able.receive(request.SerializeToString(), 0.0)
    response = discovery_pb2.DeltaDiscoveryResponse.FromString(able.next_response(0.0))
    assert {r.name: r.ttl.seconds for r in response.resources if r.HasField("ttl")} == {"r": 10}
    assert able.next_response(4.9) is None
    beat = discovery_pb2.DeltaDiscoveryResponse.FromString(able.next_response(5.0))
    assert [(r.name, r.version, r.HasField("resource")) for r in beat.resources] == [
        ("r", LIVED.version, False)
    ]
    ack = discovery_pb2.DeltaDiscoveryRequest(type_url=ROUTE, response_nonce=response.nonce)
    able.receive(ack.SerializeToString(), 5.0)
    ack.response_nonce = beat.nonce
    able.receive(ack.SerializeToString(), 5.0)
    assert able.channels[ROUTE].acked_generation == 1


async def test_READY_health_tells_it() -> None:
    server = XdsServer(by_cluster)
    listening, address = await listen(server)
    status = health_pb2.HealthCheckResponse
    async with grpc.aio.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        watch = stub.Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == status.NOT_SERVING
        server.start_serving()
        assert (await watch.read()).status == status.SERVING
        ads = "envoy.service.discovery.v3.AggregatedDiscoveryService"
        assert (await stub.Check(health_pb2.HealthCheckRequest(service=ads))).status == status.SERVING
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Check(health_pb2.HealthCheckRequest(service="none"))
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        watch.cancel()
    await listening.stop(None)


@pytest.mark.parametrize("kind", [SotwSession, DeltaSession])
def test_TTL_nothing_is_renewed_that_is_no_longer_asked_for(kind: Any) -> None:
    able = session(kind, group_of(LIVED), FEATURE)
    if kind is SotwSession:
        asked = discovery_pb2.DiscoveryRequest(type_url=ROUTE, resource_names=["r"])
        dropped = discovery_pb2.DiscoveryRequest(type_url=ROUTE)
    else:
        asked = discovery_pb2.DeltaDiscoveryRequest(type_url=ROUTE, resource_names_subscribe=["r"])
        dropped = discovery_pb2.DeltaDiscoveryRequest(type_url=ROUTE, resource_names_unsubscribe=["r"])
    able.receive(asked.SerializeToString(), 0.0)
    assert able.next_response(0.0) is not None
    dropped.response_nonce = able.channels[ROUTE].nonce
    able.receive(dropped.SerializeToString(), 1.0)
    assert able.next_response(1.0) is None
    assert able.next_response(100.0) is None
    assert able.wake_at is None


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 1e20])
def test_TTL_that_cannot_be_kept_is_refused(server: XdsServer, seconds: float) -> None:
    with pytest.raises(InconsistentSnapshot, match="time to live"):
        server.publish("edge", [Resource(ROUTE, "r", b"", seconds)])


async def test_WARM_endpoints_follow_on_the_stream_of_their_own(server: XdsServer, address: str) -> None:
    """Clusters and endpoints over services per type: the proxy is the same, its streams are two."""
    server.publish("edge", [cluster("c"), endpoints("c", 1)])

    def first(type_url: str, *names: str) -> discovery_pb2.DiscoveryRequest:
        request = discovery_pb2.DiscoveryRequest(type_url=type_url, resource_names=names)
        request.node.id, request.node.cluster = "p1", "edge"
        return request

    async with grpc.aio.insecure_channel(address) as channel, asyncio.timeout(10):
        calls: dict[str, Any] = {}
        for type_url, where, names in (
            (CLUSTER, "cluster.v3.ClusterDiscoveryService/StreamClusters", []),
            (ENDPOINT, "endpoint.v3.EndpointDiscoveryService/StreamEndpoints", ["c"]),
        ):
            opened: Any = channel.stream_stream(
                f"/envoy.service.{where}",
                request_serializer=discovery_pb2.DiscoveryRequest.SerializeToString,
                response_deserializer=discovery_pb2.DiscoveryResponse.FromString,
            )
            call = calls[type_url] = opened()
            await call.write(first(type_url, *names))
            answer = await call.read()
            ack = discovery_pb2.DiscoveryRequest(response_nonce=answer.nonce, resource_names=names)
            await call.write(ack)
        await settled(server, lambda: server.fleet.holds("p1", ENDPOINT, "c", endpoints("c", 1).version))
        server.change("edge", [cluster("c", 2)])
        assert (await calls[CLUSTER].read()).type_url == CLUSTER
        assert len((await calls[ENDPOINT].read()).resources) == 1
