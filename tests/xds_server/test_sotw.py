"""State-of-the-world, row by row, at the session."""

# ruff: noqa: N802 - the names carry the ids of their rows
from __future__ import annotations

import pytest
from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf.message import DecodeError

from tests.xds_server.conftest import by_cluster
from tests.xds_server.proxy import Proxy
from tests.xds_server.resources import cluster, endpoints, listener, route, service
from xds_server import (
    CLUSTER,
    ENDPOINT,
    LISTENER,
    ROUTE,
    BadRequest,
    InconsistentSnapshot,
    References,
    Resource,
    XdsServer,
    XdsSettings,
)


def routed(server: XdsServer, *names: str) -> Proxy:
    """A proxy that asks for route tables only, and has them."""
    server.publish("edge", [route(name) for name in names])
    proxy = Proxy(server)
    proxy.ask(ROUTE, *names)
    proxy.settle()
    return proxy


def test_NACK_is_kept_and_nothing_is_sent_again(server: XdsServer) -> None:
    proxy = routed(server, "r")
    generation = server.change("edge", [route("r", a=1)])
    assert proxy.take() == ["RDS r"]
    assert proxy.nack(ROUTE, "unknown cluster") == []
    state = server.fleet.get("proxy")
    assert state is not None
    nack = state.types[ROUTE].nack
    assert nack is not None
    assert (nack.text, nack.generation) == ("unknown cluster", generation)
    assert state.types[ROUTE].acked_generation == generation - 1
    assert not state.types[ROUTE].outstanding


def test_NACK_then_the_old_state_again_is_sent_for_half_of_the_new_may_be_live(server: XdsServer) -> None:
    proxy = routed(server, "r")
    server.change("edge", [route("r", a=1)])
    proxy.take()
    proxy.nack(ROUTE)
    generation = server.change("edge", [route("r")])
    assert proxy.take() == ["RDS r"]
    assert proxy.ack(ROUTE) == []
    assert proxy.acked(ROUTE) == generation


def test_NACK_of_one_table_is_not_cured_by_the_ack_of_another(server: XdsServer) -> None:
    proxy = routed(server, "bad", "good")
    server.change("edge", [route("bad", a=1)])
    proxy.take()
    proxy.nack(ROUTE)
    generation = server.change("edge", [route("good", b=1)])
    assert proxy.take() == ["RDS bad good"], "what was refused goes with what is new"
    proxy.nack(ROUTE)
    assert proxy.acked(ROUTE) == 1
    server.change("edge", [route("bad")])
    assert proxy.take() == ["RDS bad good"]
    proxy.ack(ROUTE)
    assert proxy.acked(ROUTE) == generation + 1


def test_NACK_then_a_subscription_with_the_same_nonce_is_no_ack(server: XdsServer) -> None:
    proxy = routed(server, "r")
    server.change("edge", [route("r", a=1), route("s")])
    proxy.take()
    proxy.nack(ROUTE)
    assert proxy.ask(ROUTE, "r", "s") == ["RDS r s"]
    assert proxy.acked(ROUTE) == 1


def test_NONCE_SOTW_a_stale_request_is_ignored_whole(server: XdsServer) -> None:
    proxy = routed(server, "a", "b")
    proxy.ask(ROUTE, "a")
    old = proxy.last[ROUTE].nonce
    server.change("edge", [route("a", x=1)])
    assert proxy.take() == ["RDS a"]
    assert proxy.ask(ROUTE, "a", "b", nonce=old) == []
    assert proxy.ask(ROUTE, "a", "b", nonce="") == []
    assert proxy.session.ignored == 2
    assert proxy.ask(ROUTE, "a", "b") == ["RDS b"], "the answer to the latest asks for what is new"


def test_NONCE_SOTW_one_response_is_outstanding(server: XdsServer) -> None:
    proxy = routed(server, "r")
    server.change("edge", [route("r", a=1)])
    assert proxy.take() == ["RDS r"]
    second = server.change("edge", [route("r", a=2)])
    third = server.change("edge", [route("r", a=3)])
    assert proxy.take() == []
    assert proxy.ack(ROUTE) == ["RDS r"]
    assert proxy.acked(ROUTE) == second - 1
    proxy.ack(ROUTE)
    assert proxy.acked(ROUTE) == third


def test_NONCE_SOTW_a_newer_state_supersedes_one_that_stays_unacknowledged(server: XdsServer) -> None:
    proxy = routed(server, "r", "s")
    server.change("edge", [route("r", a=1)])
    proxy.take()
    first = proxy.last[ROUTE]
    generation = server.change("edge", [route("s", a=1)])
    assert proxy.take() == []
    assert proxy.session.wake_at == proxy.now + 0.5
    proxy.now += 0.5
    assert proxy.take() == ["RDS r s"], "its ACK is to cover the one that it supersedes"
    assert proxy.ask(ROUTE, "r", "s", nonce=first.nonce) == []
    assert proxy.acked(ROUTE) == 1
    proxy.ack(ROUTE)
    assert proxy.acked(ROUTE) == generation


def test_WILD_LEGACY_an_empty_first_list_means_everything(server: XdsServer) -> None:
    server.publish("edge", [cluster("a"), cluster("b"), endpoints("a"), route("r")])
    proxy = Proxy(server)
    assert proxy.ask(CLUSTER) == ["CDS a b"]
    assert proxy.ask(ENDPOINT) == [], "only clusters and listeners"
    assert proxy.ask(ROUTE) == []
    proxy.ack(CLUSTER)
    assert proxy.ask(CLUSTER, "a") == []
    server.change("edge", [cluster("b", 9)])
    assert proxy.take() == []
    assert proxy.ask(CLUSTER) == [], "once names were given, empty means nothing"
    server.change("edge", [cluster("a", 9)])
    assert proxy.take() == []


def test_WILD_NAMED_star_and_a_name_send_each_once(server: XdsServer) -> None:
    server.publish("edge", [cluster("a"), cluster("b")])
    proxy = Proxy(server)
    assert proxy.ask(CLUSTER, "*", "a") == ["CDS a b"]
    proxy.ack(CLUSTER)
    assert proxy.ask(CLUSTER, "a") == []
    assert proxy.ask(CLUSTER, "*", "a") == ["CDS a b"]
    proxy.ack(CLUSTER)
    assert proxy.ask(CLUSTER) == []
    server.change("edge", [cluster("c")])
    assert proxy.take() == []


def test_WILD_NAMED_star_for_any_type(server: XdsServer) -> None:
    server.publish("edge", [route("r"), route("s")])
    proxy = Proxy(server)
    assert proxy.ask(ROUTE, "*") == ["RDS r s"]


def test_FULL_SOTW_clusters_come_whole_and_routes_in_part(server: XdsServer) -> None:
    server.publish("edge", [cluster("a"), cluster("b"), route("r"), route("s")])
    proxy = Proxy(server)
    proxy.ask(CLUSTER)
    proxy.ask(ROUTE, "r", "s")
    proxy.settle()
    server.change("edge", [cluster("a", 9), route("s", a=1, b=1)])
    assert proxy.take() == ["CDS a b"]
    assert proxy.ack(CLUSTER) == ["RDS s"]
    proxy.ack(ROUTE)
    server.change("edge", [route("s", b=1)], remove=[(CLUSTER, "a")])
    assert proxy.take() == ["RDS s"]
    assert proxy.ack(ROUTE) == ["CDS b"]
    server.change("edge", [], [(CLUSTER, "b")])
    proxy.now += 1
    assert proxy.take() == []
    assert proxy.ack(CLUSTER) == [], "a route leads there"
    server.change("edge", [route("s")])
    assert proxy.take() == ["RDS s"]
    assert proxy.ack(ROUTE) == ["CDS"], "empty deletes all"


def test_FULL_SOTW_an_absent_name_is_told_by_the_set_without_it(server: XdsServer) -> None:
    server.publish("edge", [cluster("a")])
    proxy = Proxy(server)
    assert proxy.ask(CLUSTER, "a") == ["CDS a"]
    assert proxy.ask(CLUSTER, "a", "gone") == ["CDS a"]


def test_RESEND_a_name_asked_for_again_is_sent_again(server: XdsServer) -> None:
    proxy = routed(server, "a", "b")
    assert proxy.ask(ROUTE, "a", "b") == []
    assert proxy.ask(ROUTE, "a") == []
    assert proxy.ask(ROUTE, "a", "b") == ["RDS b"]
    proxy.ack(ROUTE)
    proxy.ask(ROUTE)
    assert proxy.ask(ROUTE, "a", "b") == ["RDS a b"]


def test_RESEND_a_new_stream_is_answered_though_it_claims_our_version(server: XdsServer) -> None:
    proxy = routed(server, "r")
    again = Proxy(server, accepted=dict(proxy.accepted))
    assert again.ask(ROUTE, "r") == ["RDS r"]
    server.change("edge", [cluster("c"), listener("l")])
    again.accepted[CLUSTER] = (
        server.group("edge").view(CLUSTER, again.session.channels[ROUTE].subscription).version
    )
    assert again.ask(CLUSTER) == ["CDS c"]


def test_LATE_a_missing_name_is_pushed_when_it_appears(server: XdsServer) -> None:
    server.publish("edge", [route("a")])
    proxy = Proxy(server)
    assert proxy.ask(ROUTE, "a", "late") == ["RDS a"]
    proxy.ack(ROUTE)
    server.change("edge", [route("late")])
    assert proxy.take() == ["RDS late"]


def test_LATE_a_removed_name_that_returns_is_sent(server: XdsServer) -> None:
    proxy = routed(server, "a", "b")
    server.change("edge", remove=[(ROUTE, "a")])
    assert proxy.take() == []
    generation = server.change("edge", [route("a")])
    assert proxy.take() == ["RDS a"]
    proxy.ack(ROUTE)
    assert proxy.acked(ROUTE) == generation


def test_ACKED_an_unchanged_type_moves_up_by_itself(server: XdsServer) -> None:
    proxy = routed(server, "r")
    assert proxy.acked(CLUSTER) is None
    generation = server.change("edge", [cluster("a"), route("not asked for")])
    assert proxy.take() == []
    assert proxy.acked(ROUTE) == generation
    assert server.publish("edge", [cluster("a"), route("r"), route("not asked for")]) == generation


def test_ACKED_state_that_returns_before_it_was_sent_counts(server: XdsServer) -> None:
    proxy = routed(server, "r")
    server.change("edge", [route("r", a=1)])
    generation = server.change("edge", [route("r")])
    assert proxy.take() == []
    assert proxy.acked(ROUTE) == generation


def test_ACKED_is_what_was_built_not_what_is_published(server: XdsServer) -> None:
    proxy = routed(server, "r")
    second = server.change("edge", [route("r", a=1)])
    proxy.take()
    third = server.change("edge", [cluster("other")])
    fourth = server.change("edge", [route("r", a=2)])
    proxy.ack(ROUTE)
    assert (second, third) == (2, 3)
    assert proxy.acked(ROUTE) == third, "it has the same routes as the second"
    proxy.ack(ROUTE)
    assert proxy.acked(ROUTE) == fourth


def test_ACKED_two_streams_of_one_node_count_as_the_one_behind(server: XdsServer) -> None:
    first = routed(server, "r")
    second = Proxy(server)
    assert first.acked(ROUTE) == 1, "a stream that has not asked says nothing"
    second.ask(ROUTE, "r")
    assert first.acked(ROUTE) is None
    second.ack(ROUTE)
    generation = server.change("edge", [route("r", a=1)])
    first.settle()
    assert first.acked(ROUTE) == generation - 1
    second.leave()
    assert first.acked(ROUTE) == generation


def test_VERSION_is_of_the_content(server: XdsServer) -> None:
    other = XdsServer(by_cluster)
    server.publish("edge", [route("r"), route("s"), cluster("c")])
    other.publish("edge", [route("s", x=1)])
    other.publish("edge", [route("s"), cluster("d"), route("r")])
    here, there = Proxy(server), Proxy(other)
    for proxy in (here, there):
        proxy.ask(ROUTE, "r", "s")
        proxy.ask(CLUSTER)
    assert here.last[ROUTE].version == there.last[ROUTE].version
    assert here.last[CLUSTER].version != there.last[CLUSTER].version
    before = here.last[ROUTE].version
    here.settle()
    server.change("edge", [route("r", a=1)])
    here.settle()
    assert here.last[ROUTE].version != before
    server.change("edge", [route("r")])
    here.settle()
    assert here.last[ROUTE].version == before


def test_DUP_and_all_other_faults_are_named_and_nothing_is_changed(server: XdsServer) -> None:
    server.publish("edge", [cluster("a")])
    with pytest.raises(InconsistentSnapshot) as caught:
        server.publish("edge", [cluster("b"), cluster("b"), cluster(""), cluster("*"), cluster("x\ny")])
    assert len(caught.value.faults) == 4
    assert server.generation("edge") == 1
    assert Proxy(server).ask(CLUSTER) == ["CDS a"]


def test_strict_references_are_checked_by_what_changes() -> None:
    server = XdsServer(by_cluster, settings=XdsSettings(references=References.STRICT))
    server.publish("edge", service("v1"))
    with pytest.raises(InconsistentSnapshot) as caught:
        server.change("edge", [route("table", v1=1, v2=1), cluster("v3")], [(ENDPOINT, "v1")])
    assert len(caught.value.faults) == 3, caught.value.faults
    server.change("edge", [*service("v2")], [(CLUSTER, "v1"), (ENDPOINT, "v1")])
    with pytest.raises(InconsistentSnapshot, match=r"'v2' is removed, but 1 resource"):
        server.change("edge", remove=[(CLUSTER, "v2")])
    server.publish("edge", [])


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (b"\xff\xff", "not a DiscoveryRequest"),
        (
            discovery_pb2.DiscoveryRequest(type_url="type.googleapis.com/x.Y").SerializeToString(),
            "not served",
        ),
        (discovery_pb2.DiscoveryRequest().SerializeToString(), "type_url"),
        (
            discovery_pb2.DiscoveryRequest(type_url=ROUTE, resource_names=["n" * 5000]).SerializeToString(),
            "5000 characters",
        ),
        (
            discovery_pb2.DiscoveryRequest(
                type_url=ROUTE, resource_names=[str(n) for n in range(100_000)]
            ).SerializeToString(),
            "100000 resource names",
        ),
    ],
)
def test_BADREQ_is_refused_with_its_reason(server: XdsServer, request_: bytes, reason: str) -> None:
    server.publish("edge", [route("r")])
    with pytest.raises(BadRequest, match=reason):
        Proxy(server).session.receive(request_, 0.0)


def test_FULL_SOTW_a_first_answer_withholds_no_listener(server: XdsServer) -> None:
    server.publish("edge", service("v1"))
    proxy = Proxy(server)
    assert proxy.ask(CLUSTER) == ["CDS v1"]
    assert proxy.ask(LISTENER) == [], "a set without it would delete what the client may have"
    assert proxy.ack(CLUSTER) == ["LDS entry"]


def test_bytes_that_are_no_such_message_end_no_stream(server: XdsServer) -> None:
    server.publish("edge", service("v1"))
    proxy = Proxy(server)
    proxy.start("table")
    server.change("edge", [Resource.encoded(ROUTE, "table", b"\xff\xff")])
    with pytest.raises(DecodeError):
        proxy.take()  # the client's decoder, not the server
    server.change("edge", [route("table", v1=2)])
    proxy.now += 1
    assert proxy.take() == ["RDS table"]


def test_RESEND_a_name_beside_the_wildcard_is_sent(server: XdsServer) -> None:
    server.publish("edge", [cluster("a"), cluster("b")])
    proxy = Proxy(server)
    proxy.ask(CLUSTER, "*")
    proxy.ack(CLUSTER)
    assert proxy.ask(CLUSTER, "*", "a") == ["CDS a b"]
    assert proxy.ack(CLUSTER) == []
