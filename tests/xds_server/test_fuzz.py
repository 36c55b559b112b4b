"""A bounded fuzzer over decoder and session: whatever comes in, the stream is answered or refused, and others
go on.
"""

# ruff: noqa: N802 - the names carry the ids of their rows
from __future__ import annotations

import random
import time

import pytest
from envoy.service.discovery.v3 import discovery_pb2

from tests.xds_server.conftest import by_cluster
from tests.xds_server.proxy import DeltaProxy, Proxy
from tests.xds_server.resources import route, service
from xds_server import CLUSTER, ENDPOINT, LISTENER, ROUTE, BadRequest, XdsServer

SECONDS = 2.0
TYPES = (CLUSTER, ENDPOINT, LISTENER, ROUTE, "", "type.googleapis.com/no.Such")
NAMES = ("*", "v1", "v2", "table", "none", "", "x" * 4096, "\N{SNOWMAN}")


def garbled(rng: random.Random, data: bytes) -> bytes:
    """The message with some bytes changed, cut, or doubled."""
    spoilt = bytearray(data)
    for _ in range(rng.randrange(4)):
        if not spoilt:
            break
        at = rng.randrange(len(spoilt))
        match rng.randrange(3):
            case 0:
                spoilt[at] = rng.randrange(256)
            case 1:
                del spoilt[at:]
            case _:
                spoilt[at:at] = spoilt[: rng.randrange(20)]
    return bytes(spoilt)


def message(rng: random.Random, delta: bool, nonces: list[str]) -> bytes:
    names = [rng.choice(NAMES) for _ in range(rng.randrange(4))]
    nonce = rng.choice(["", "stale", *nonces[-3:]])
    if delta:
        request = discovery_pb2.DeltaDiscoveryRequest(
            type_url=rng.choice(TYPES),
            resource_names_subscribe=names,
            resource_names_unsubscribe=[rng.choice(NAMES) for _ in range(rng.randrange(3))],
            response_nonce=nonce,
        )
        if rng.randrange(4) == 0:
            request.initial_resource_versions.update({rng.choice(NAMES): "1"})
    else:
        request = discovery_pb2.DiscoveryRequest(
            type_url=rng.choice(TYPES), resource_names=names, response_nonce=nonce
        )
    if rng.randrange(4) == 0:
        request.error_detail.message = "no"
    data = request.SerializeToString()
    return garbled(rng, data) if rng.randrange(2) else data


@pytest.mark.parametrize("kind", [Proxy, DeltaProxy])
def test_BADREQ_nothing_that_comes_in_does_harm(kind: type[Proxy] | type[DeltaProxy]) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # shown if it fails
    rng = random.Random(seed)
    server = XdsServer(by_cluster)
    server.publish("edge", service("v1"))
    good = Proxy(server, id="good")
    good.start("table")
    until = time.monotonic() + SECONDS
    streams = 0
    while time.monotonic() < until:
        proxy = kind(server, id=f"bad-{streams}")
        streams += 1
        nonces: list[str] = []
        try:
            for _ in range(rng.randrange(1, 40)):
                proxy.session.receive(message(rng, kind is DeltaProxy, nonces), proxy.now)
                sent = 0
                while proxy.session.next_response(proxy.now) is not None:
                    sent += 1
                    assert sent < 20, "it never ends"
                nonces += [channel.nonce for channel in proxy.session.channels.values()]
                proxy.now += rng.choice([0, 0, 1])
        except BadRequest:
            pass  # the stream ends
        finally:
            server.fleet.leave(proxy.live)
        if streams % 50 == 0:
            generation = server.change("edge", [route("table", v1=streams)])
            good.settle()
            assert good.acked(ROUTE) == generation
    assert streams > 100
    assert len(server.fleet) == 1


def test_BADREQ_a_stream_that_refuses_for_ever_keeps_little() -> None:
    server = XdsServer(by_cluster)
    server.publish("edge", [route("table", v0=1)])
    proxy = Proxy(server)
    proxy.ask(ROUTE, "table")
    proxy.ack(ROUTE)
    for number in range(1000):
        server.change("edge", [route("table", **{f"v{number + 1}": 1})])
        proxy.take()
        assert proxy.nack(ROUTE) == []
    assert sum(len(older) for older in proxy.session.channels[ROUTE].doubts.values()) <= 8


def test_BADREQ_a_delta_stream_that_never_answers_keeps_little() -> None:
    server = XdsServer(by_cluster)
    server.publish("edge", [route("table")])
    proxy = DeltaProxy(server)
    for _ in range(1000):
        proxy.ask(ROUTE, "table")
    assert len(proxy.session.channels[ROUTE].in_flight) <= 64
