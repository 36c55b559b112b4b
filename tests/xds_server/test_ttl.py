"""Row TTL where it is hard: beside other news, and after a reconnect."""

# ruff: noqa: N802 - the names carry the ids of their rows
from __future__ import annotations

from typing import Any

import pytest
from envoy.service.discovery.v3 import discovery_pb2

from tests.xds_server.resources import route
from xds_server import ROUTE, NodeIdentity, Resource, XdsServer, XdsSettings
from xds_server.delta import DeltaSession
from xds_server.session import TTL_FEATURE
from xds_server.sotw import SotwSession

LIVED = Resource(ROUTE, "lived", route("lived").body, 10.0)
ABLE = NodeIdentity("p", "edge", features=frozenset({TTL_FEATURE}))


@pytest.mark.parametrize("kind", [SotwSession, DeltaSession])
def test_TTL_news_of_others_puts_no_heartbeat_off(server: XdsServer, kind: Any) -> None:
    server.publish("edge", [LIVED, route("busy")])
    session = kind(ABLE, server.group("edge"), XdsSettings())
    delta = kind is DeltaSession
    message: Any = discovery_pb2.DeltaDiscoveryResponse if delta else discovery_pb2.DiscoveryResponse
    request: Any = discovery_pb2.DeltaDiscoveryRequest if delta else discovery_pb2.DiscoveryRequest
    names = {"resource_names_subscribe" if delta else "resource_names": ["busy", "lived"]}
    session.receive(request(type_url=ROUTE, **names).SerializeToString(), 0.0)
    renewed = []
    for now in range(30):
        while (data := session.next_response(float(now))) is not None:
            response = message.FromString(data)
            if b"lived" in data:
                renewed.append(now)
            ack = request(type_url=ROUTE, response_nonce=response.nonce, **({} if delta else names))
            session.receive(ack.SerializeToString(), float(now))
        server.change("edge", [route("busy", **{f"v{now}": 1})])
    assert renewed == [0, 5, 10, 15, 20, 25]


def test_TTL_of_what_a_returning_delta_client_holds_is_renewed_at_once(server: XdsServer) -> None:
    """It is running out, and nobody knows how much of it is left."""
    server.publish("edge", [LIVED])
    session = DeltaSession(ABLE, server.group("edge"), XdsSettings())
    first = discovery_pb2.DeltaDiscoveryRequest(type_url=ROUTE, resource_names_subscribe=["lived"])
    first.initial_resource_versions["lived"] = LIVED.version
    session.receive(first.SerializeToString(), 0.0)
    beat = discovery_pb2.DeltaDiscoveryResponse.FromString(session.next_response(0.0) or b"")
    assert [(one.name, one.version, one.ttl.seconds) for one in beat.resources] == [
        ("lived", LIVED.version, 10)
    ]
    assert not beat.resources[0].HasField("resource"), "D-RECON: what it has does not go again"
    assert session.next_response(0.0) is None
    assert session.wake_at == 5.0
