"""The incremental protocol, row by row, at the session."""

# ruff: noqa: N802 - the names carry the ids of their rows
from __future__ import annotations

from tests.xds_server.proxy import DeltaProxy
from tests.xds_server.resources import cluster, endpoints, listener, route, service
from xds_server import CLUSTER, ENDPOINT, LISTENER, ROUTE, XdsServer


def routed(server: XdsServer, *names: str) -> DeltaProxy:
    """A proxy that asks for route tables only, and has them."""
    server.publish("edge", [route(name) for name in names])
    proxy = DeltaProxy(server)
    proxy.ask(ROUTE, *names)
    proxy.settle()
    return proxy


def started(server: XdsServer, name: str = "v1") -> DeltaProxy:
    server.publish("edge", service(name))
    proxy = DeltaProxy(server)
    proxy.start("table")
    assert proxy.acked(ROUTE) == server.generation("edge")
    return proxy


def test_D_only_what_changes_is_sent(server: XdsServer) -> None:
    server.publish("edge", [cluster("a"), cluster("b")])
    proxy = DeltaProxy(server)
    assert proxy.ask(CLUSTER) == ["CDS a b"]
    proxy.ack(CLUSTER)
    server.change("edge", [cluster("b", 9), cluster("c")], [(CLUSTER, "a")])
    assert proxy.take() == ["CDS b c"]
    assert proxy.ack(CLUSTER) == ["CDS -a"]
    proxy.ack(CLUSTER)
    assert proxy.acked(CLUSTER) == 2


def test_D_MISSING_an_absent_name_is_answered_as_removed(server: XdsServer) -> None:
    server.publish("edge", [route("r")])
    proxy = DeltaProxy(server)
    assert proxy.ask(ROUTE, "r", "none") == ["RDS r -none"]
    proxy.ack(ROUTE)
    server.change("edge", [route("none")])
    assert proxy.take() == ["RDS none"]
    proxy.ack(ROUTE)
    assert proxy.acked(ROUTE) == 2


def test_D_RESUB_asking_again_sends_again(server: XdsServer) -> None:
    proxy = routed(server, "r", "s")
    assert proxy.ask(ROUTE, "r") == ["RDS r"]
    assert proxy.ask(ROUTE, "r", "none") == ["RDS r -none"], "though the first is not acknowledged"
    assert proxy.settle() == []
    assert proxy.ask(ROUTE, "none") == ["RDS -none"]


def test_D_UNSUB_needs_no_answer(server: XdsServer) -> None:
    proxy = routed(server, "r", "s")
    assert proxy.ask(ROUTE, drop=("r", "never heard of")) == []
    server.change("edge", [route("r", a=1)])
    assert proxy.take() == []
    assert proxy.acked(ROUTE) == 2
    assert proxy.ask(ROUTE, "r") == ["RDS r"]


def test_WILD_LEGACY_a_first_request_that_only_drops_names_asks_for_nothing(server: XdsServer) -> None:
    """Only one without names in either list means everything (``xds_protocol``, "Incremental xDS")."""
    server.publish("edge", [cluster("a"), cluster("b")])
    assert DeltaProxy(server, id="drops").ask(CLUSTER, drop=("a",)) == []
    assert DeltaProxy(server, id="both").ask(CLUSTER, "a", "b", drop=("b",)) == ["CDS a"]
    assert DeltaProxy(server, id="star").ask(CLUSTER, "*", "a", drop=("*",)) == ["CDS a"]


def test_D_EMPTY_the_first_wildcard_is_answered_even_when_empty(server: XdsServer) -> None:
    server.publish("edge", [])
    proxy = DeltaProxy(server)
    assert proxy.ask(CLUSTER) == ["CDS"]
    assert proxy.ask(LISTENER, "*") == ["LDS"]
    assert proxy.ask(ROUTE) == []
    assert proxy.settle() == []


def test_D_RECON_only_changes_and_removals_follow(server: XdsServer) -> None:
    first = DeltaProxy(server)
    server.publish("edge", [cluster("same"), cluster("old"), cluster("gone"), route("r"), route("s")])
    first.ask(CLUSTER)
    first.ask(ROUTE, "r", "s", "t")
    first.settle()
    first.leave()
    server.change("edge", [cluster("old", 9), cluster("new"), route("s", x=1)], [(CLUSTER, "gone")])
    again = DeltaProxy(server)
    assert again.ask(CLUSTER, versions=first.held[CLUSTER]) == ["CDS new old -gone"]
    assert again.settle() == []
    assert again.ask(ROUTE, "r", "s", "t", versions=first.held[ROUTE]) == ["RDS s -t"]
    again.settle()
    assert again.acked(CLUSTER) == again.acked(ROUTE) == 2


def test_D_RECON_what_is_only_gone_is_told_at_once(server: XdsServer) -> None:
    server.publish("edge", [cluster("a")])
    proxy = DeltaProxy(server)
    assert proxy.ask(CLUSTER, versions={"a": "other", "leaked": "1"}) == ["CDS a -leaked"]
    held = {"a": cluster("a").version, "leaked": "1"}
    assert DeltaProxy(server).ask(CLUSTER, "*", versions=held) == ["CDS -leaked"]


def test_D_RECON_a_proxy_that_was_away_is_led_through_the_stages(server: XdsServer) -> None:
    first = started(server, "v1")
    first.leave()
    server.publish("edge", service("v2", 2))
    again = DeltaProxy(server)
    assert again.ask(CLUSTER, versions=first.held[CLUSTER]) == ["CDS v2"], "it routes to v1 still"
    assert again.ask(ENDPOINT, "v1", versions=first.held[ENDPOINT]) == []
    again.ask(LISTENER, versions=first.held[LISTENER])
    assert again.ask(ROUTE, "table", versions=first.held[ROUTE]) == []
    assert again.ask(ENDPOINT, "v2") == ["EDS v2"]
    again.ack(ENDPOINT)
    again.ack(LISTENER)
    assert again.ack(CLUSTER) == ["RDS table"]
    assert again.ack(ROUTE) == ["CDS -v1"]
    again.settle()
    assert again.acked(CLUSTER) == again.acked(ROUTE) == 2


def test_NONCE_DELTA_names_count_though_the_nonce_is_stale_or_unknown(server: XdsServer) -> None:
    proxy = routed(server, "a", "b")
    proxy.ask(ROUTE, drop=("b",))
    server.change("edge", [route("a", x=1)])
    proxy.take()
    assert proxy.ask(ROUTE, "b", nonce="unknown") == ["RDS b"]
    assert proxy.ask(ROUTE, drop=("a",), nonce="stale") == []
    proxy.settle()
    assert proxy.acked(ROUTE) == 2


def test_NONCE_DELTA_each_response_is_answered_for_itself(server: XdsServer) -> None:
    proxy = routed(server, "a", "b")
    server.change("edge", [route("a", x=1)])
    proxy.take()
    server.change("edge", [route("b", x=1)])
    assert proxy.take() == []
    proxy.now += 1
    assert proxy.take() == ["RDS b"], "the first is still under way"
    first, second = proxy.unanswered
    proxy.answer(second)
    assert proxy.acked(ROUTE) == 1
    assert proxy.answer(first) == []
    assert proxy.acked(ROUTE) == 3


def test_ACKED_delta_many_subscriptions_before_the_first_answer(server: XdsServer) -> None:
    """Every answer is counted, in whatever number responses were under way."""
    names = [f"r{number}" for number in range(200)]
    server.publish("edge", [route(name) for name in names])
    proxy = DeltaProxy(server)
    for name in names:
        proxy.ask(ROUTE, name)
    proxy.settle()
    assert sorted(proxy.held[ROUTE]) == sorted(names)
    assert proxy.acked(ROUTE) == 1


def test_NACK_delta_is_kept_and_sent_again_only_with_something_new(server: XdsServer) -> None:
    proxy = routed(server, "bad", "good")
    server.change("edge", [route("bad", a=1)])
    proxy.take()
    assert proxy.nack(ROUTE) == []
    server.change("edge", [route("good", a=1)])
    assert proxy.take() == ["RDS bad good"]
    proxy.nack(ROUTE)
    assert proxy.acked(ROUTE) == 1
    server.change("edge", [route("bad")])
    assert proxy.take() == ["RDS bad good"]
    proxy.ack(ROUTE)
    assert proxy.acked(ROUTE) == 4


def test_WILD_NAMED_dropping_a_name_under_star_gets_it_or_its_removal(server: XdsServer) -> None:
    server.publish("edge", [cluster("a")])
    proxy = DeltaProxy(server)
    assert proxy.ask(CLUSTER, "*", "a", "none") == ["CDS a -none"]
    proxy.settle()
    assert proxy.ask(CLUSTER, drop=("a",)) == ["CDS a"]
    assert proxy.ask(CLUSTER, drop=("none",)) == ["CDS -none"]
    proxy.settle()
    assert proxy.ask(CLUSTER, drop=("*",)) == []
    server.change("edge", [cluster("b")])
    assert proxy.take() == []
    assert proxy.ask(CLUSTER, "*") == ["CDS a b"]


def test_WILD_NAMED_star_tells_of_what_is_under_way_and_gone(server: XdsServer) -> None:
    """The client takes what reaches it after it has asked for everything, and would keep it for ever."""
    server.publish("edge", [cluster("a"), cluster("b")])
    proxy = DeltaProxy(server)
    assert proxy.ask(CLUSTER, "a") == ["CDS a"], "it is long under way"
    assert proxy.ask(CLUSTER, drop=("a",)) == []
    server.change("edge", remove=[(CLUSTER, "a")])
    assert proxy.take() == []
    assert proxy.ask(CLUSTER, "*") == ["CDS b -a"]
    proxy.settle()
    assert proxy.acked(CLUSTER) == server.generation("edge")


def test_WILD_NAMED_a_name_keeps_when_star_is_dropped(server: XdsServer) -> None:
    server.publish("edge", [cluster("a"), cluster("b")])
    proxy = DeltaProxy(server)
    proxy.ask(CLUSTER)
    assert proxy.ask(CLUSTER, "a") == ["CDS a"]
    proxy.ask(CLUSTER, drop=("*",))
    proxy.settle()
    server.change("edge", [cluster("a", 9), cluster("b", 9)])
    assert proxy.take() == ["CDS a"]


def test_WARM_delta_a_changed_cluster_is_followed_by_its_endpoints(server: XdsServer) -> None:
    proxy = started(server)
    server.change("edge", [cluster("v1", connect_seconds=5)])
    assert proxy.take() == ["CDS v1", "EDS v1"]


def test_WARM_delta_on_a_new_stream(server: XdsServer) -> None:
    first = started(server)
    server.change("edge", [cluster("v1", connect_seconds=5)])
    again = DeltaProxy(server)
    assert again.ask(CLUSTER, versions=first.held[CLUSTER]) == ["CDS v1"]
    assert again.ask(ENDPOINT, "v1", versions=first.held[ENDPOINT]) == ["EDS v1"]


def test_ORDER_delta_each_stage_waits_for_the_one_before(server: XdsServer) -> None:
    proxy = started(server)
    generation = server.publish("edge", service("v2", 2))
    assert proxy.take() == ["CDS v2"]
    assert proxy.ask(ENDPOINT, "v2") == ["EDS v2"]
    assert proxy.ack(ENDPOINT) == []
    assert proxy.ack(CLUSTER) == ["RDS table"]
    assert proxy.ack(ROUTE) == ["CDS -v1"]
    assert proxy.ack(CLUSTER) == ["EDS -v1"], "endpoints leave after the clusters that use them"
    proxy.settle()
    for type_url in (CLUSTER, ENDPOINT, LISTENER, ROUTE):
        assert proxy.acked(type_url) == generation


def test_ORDER_delta_a_superseded_cluster_is_dropped_at_once(server: XdsServer) -> None:
    proxy = started(server)
    server.publish("edge", service("v2", 2))
    assert proxy.take() == ["CDS v2"]
    server.publish("edge", service("v1"))
    assert proxy.take() == ["CDS -v2"]
    proxy.settle()
    assert proxy.acked(CLUSTER) == proxy.acked(ROUTE) == 3


def test_ORDER_delta_a_withheld_table_is_not_called_missing(server: XdsServer) -> None:
    server.publish("edge", service("v1"))
    proxy = DeltaProxy(server)
    proxy.ask(CLUSTER)
    assert proxy.ask(ROUTE, "table", "none") == ["RDS -none"]
    assert proxy.ack(CLUSTER) == ["RDS table"]


def test_ORDER_delta_route_tables_leave_after_their_listeners(server: XdsServer) -> None:
    server.publish("edge", [listener("l", "r", 1), route("r"), listener("other", port=2)])
    proxy = DeltaProxy(server)
    proxy.ask(LISTENER)
    proxy.ask(ROUTE, "r")
    proxy.settle()
    server.change("edge", remove=[(LISTENER, "l"), (ROUTE, "r")])
    assert proxy.take() == ["LDS -l"]
    assert proxy.ack(LISTENER) == ["RDS -r"]


def test_endpoints_alone(server: XdsServer) -> None:
    server.publish("edge", [endpoints("a", 1)])
    proxy = DeltaProxy(server)
    assert proxy.ask(ENDPOINT, "a") == ["EDS a"]
    proxy.ack(ENDPOINT)
    server.publish("edge", [])
    assert proxy.take() == ["EDS -a"]


def test_D_EMPTY_is_not_said_of_what_is_only_withheld(server: XdsServer) -> None:
    server.publish("edge", service("v1"))
    proxy = DeltaProxy(server)
    assert proxy.ask(CLUSTER) == ["CDS v1"]
    assert proxy.ask(LISTENER) == [], "an Envoy that is told of no listener takes itself for ready"
    assert proxy.ack(CLUSTER) == ["LDS entry"]


def test_D_RECON_a_listener_that_we_never_knew_goes_with_the_changes(server: XdsServer) -> None:
    server.publish("edge", [listener("a"), listener("b", port=2)])
    proxy = DeltaProxy(server)
    assert proxy.ask(LISTENER, versions={"b": "old", "gone": "old"}) == ["LDS a b -gone"]
