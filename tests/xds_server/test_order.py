"""Row ORDER: what goes out when, and what it waits for."""

# ruff: noqa: N802 - the names carry the ids of their rows
from __future__ import annotations

from tests.xds_server.proxy import Proxy
from tests.xds_server.resources import cluster, endpoints, listener, route, service
from xds_server import CLUSTER, ENDPOINT, LISTENER, ROUTE, XdsServer


def started(server: XdsServer, name: str = "v1") -> Proxy:
    server.publish("edge", service(name))
    proxy = Proxy(server)
    proxy.start("table")
    assert proxy.acked(ROUTE) == server.generation("edge")
    return proxy


def test_ORDER_each_stage_waits_for_the_one_before(server: XdsServer) -> None:
    proxy = started(server)
    generation = server.publish("edge", service("v2", 2))
    assert proxy.take() == ["CDS v1 v2"]
    assert proxy.ask(CLUSTER, nonce="stale") == []
    assert proxy.ask(ENDPOINT, "v1", "v2") == ["EDS v2"], "endpoints never wait for the cluster's ACK"
    assert proxy.ack(ENDPOINT) == []
    assert proxy.ack(CLUSTER) == ["RDS table"], "routes go out when cluster and endpoints are acknowledged"
    assert proxy.acked(ROUTE) == generation - 1
    assert proxy.ack(ROUTE) == ["CDS v2"], "removals go last"
    assert proxy.acked(ROUTE) == generation
    assert proxy.acked(CLUSTER) == generation - 1
    assert proxy.ack(CLUSTER) == []
    assert proxy.acked(CLUSTER) == generation


def test_ORDER_a_route_waits_for_the_endpoints_too(server: XdsServer) -> None:
    proxy = started(server)
    server.publish("edge", service("v2", 2))
    proxy.take()
    proxy.ask(ENDPOINT, "v1", "v2")
    assert proxy.ack(CLUSTER) == []
    assert proxy.ack(ENDPOINT) == ["RDS table"]


def test_ORDER_a_new_listener_waits_for_the_clusters_of_its_routes(server: XdsServer) -> None:
    proxy = started(server)
    more = [cluster("v2"), endpoints("v2", 2), listener("second", "two", 7), route("two", v2=1)]
    server.change("edge", more)
    assert proxy.take() == ["CDS v1 v2"]
    assert proxy.ask(ENDPOINT, "v1", "v2") == ["EDS v2"]
    assert proxy.ack(ENDPOINT) == []
    assert proxy.ack(CLUSTER) == ["LDS entry second"]


def test_ORDER_what_names_no_cluster_waits_for_what_came_with_it(server: XdsServer) -> None:
    proxy = started(server)
    server.change("edge", [cluster("v2"), listener("bare", port=9), route("table")])
    assert proxy.take() == ["CDS v1 v2"]
    assert proxy.ack(CLUSTER) == ["LDS bare entry", "RDS table"]


def test_ORDER_one_stuck_cluster_holds_back_only_its_own_routes(server: XdsServer) -> None:
    proxy = started(server)
    server.change("edge", [cluster("stuck"), endpoints("stuck"), cluster("fine"), endpoints("fine")])
    proxy.ask(ENDPOINT, "v1")
    assert "CDS fine stuck v1" in (str(answer) for answer in proxy.last.values())
    generation = server.change("edge", [route("table", v1=50, fine=50)])
    assert proxy.take() == [], "not proven yet"
    fine = server.group("edge").find(CLUSTER, "fine")
    assert fine is not None
    server.fleet.confirm("proxy", [fine])
    assert proxy.take() == ["RDS table"]
    proxy.ack(ROUTE)
    assert proxy.acked(ROUTE) == generation
    assert proxy.acked(CLUSTER) == 1, "a witness moves no acknowledged generation"
    assert server.fleet.holds("proxy", CLUSTER, "fine", fine.version)


def test_ORDER_removal_goes_out_though_another_cluster_is_stuck(server: XdsServer) -> None:
    proxy = started(server)
    server.change("edge", [cluster("v2"), endpoints("v2"), route("table", v2=1)])
    proxy.take()
    proxy.ask(ENDPOINT, "v1", "v2")
    proxy.settle()
    server.change("edge", [cluster("stuck")])
    assert proxy.take() == ["CDS stuck v1 v2"]
    server.change("edge", remove=[(CLUSTER, "v1"), (ENDPOINT, "v1")])
    assert proxy.take() == []
    assert proxy.session.wake_at is not None
    proxy.now = proxy.session.wake_at
    assert proxy.take() == ["CDS stuck v2"]


def test_ORDER_a_superseded_cluster_that_no_route_ever_named_is_dropped_at_once(server: XdsServer) -> None:
    proxy = started(server)
    server.publish("edge", service("v2", 2))
    assert proxy.take() == ["CDS v1 v2"]
    server.publish("edge", service("v1"))
    assert proxy.take() == ["CDS v1"], "the ACK is withheld by the warming cluster; its removal must get out"
    assert proxy.ack(CLUSTER) == []
    assert proxy.acked(CLUSTER) == proxy.acked(ROUTE) == 3


def test_ORDER_a_superseded_cluster_that_was_routed_stays_until_the_routes_have_left_it(
    server: XdsServer,
) -> None:
    proxy = started(server)
    server.publish("edge", service("v2", 2))
    proxy.take()
    proxy.ask(ENDPOINT, "v1", "v2")
    proxy.ack(ENDPOINT)
    assert proxy.ack(CLUSTER) == ["RDS table"]
    server.publish("edge", service("v3", 3))
    assert proxy.take() == ["CDS v1 v2 v3"], "the route to v2 may be live already"
    proxy.ask(ENDPOINT, "v1", "v2", "v3")
    proxy.ack(ENDPOINT)
    assert proxy.ack(CLUSTER) == [], "the first route is not acknowledged yet"
    assert proxy.ack(ROUTE) == ["CDS v2 v3", "RDS table"]
    assert proxy.ack(CLUSTER) == []
    assert proxy.ack(ROUTE) == ["CDS v3"]


def test_ORDER_refused_routes_keep_both_clusters(server: XdsServer) -> None:
    proxy = started(server)
    server.publish("edge", service("v2", 2))
    proxy.take()
    proxy.ask(ENDPOINT, "v1", "v2")
    proxy.ack(ENDPOINT)
    proxy.ack(CLUSTER)
    assert proxy.nack(ROUTE) == []
    server.publish("edge", service("v1"))
    assert proxy.take() == ["RDS table"]
    assert proxy.ack(ROUTE) == ["CDS v1"]
    proxy.settle()
    assert proxy.acked(CLUSTER) == proxy.acked(ROUTE) == 3


def test_ORDER_refused_clusters_hold_their_routes_back(server: XdsServer) -> None:
    proxy = started(server)
    server.publish("edge", service("v2", 2))
    proxy.take()
    assert proxy.nack(CLUSTER) == []
    server.publish("edge", service("v1"))
    assert proxy.take() == ["CDS v1"]
    proxy.settle()
    assert proxy.acked(ROUTE) == proxy.acked(CLUSTER) == 3


def test_ORDER_without_routes_clusters_are_added_before_others_are_removed(server: XdsServer) -> None:
    server.publish("edge", [cluster("a")])
    proxy = Proxy(server)
    proxy.ask(CLUSTER)
    proxy.ack(CLUSTER)
    server.publish("edge", [cluster("b")])
    assert proxy.take() == ["CDS a b"]
    assert proxy.ack(CLUSTER) == ["CDS b"]


def test_ORDER_a_listener_on_the_same_address_replaces_the_old_one_at_once(server: XdsServer) -> None:
    server.publish("edge", [listener("old", port=80), listener("other", port=81)])
    proxy = Proxy(server)
    proxy.ask(LISTENER)
    proxy.ack(LISTENER)
    server.publish("edge", [listener("new", port=80)])
    assert proxy.take() == ["LDS new other"], "one address cannot be bound twice; the other goes last"
    assert proxy.ack(LISTENER) == ["LDS new"]


def test_WARM_a_changed_cluster_is_followed_by_its_endpoints(server: XdsServer) -> None:
    proxy = started(server)
    server.change("edge", [cluster("v1", connect_seconds=5)])
    assert proxy.take() == ["CDS v1", "EDS v1"]


def test_ORDER_a_client_that_asks_for_no_clusters_is_not_waited_for(server: XdsServer) -> None:
    server.publish("edge", service("v1"))
    proxy = Proxy(server)
    assert proxy.ask(LISTENER, "entry") == ["LDS entry"]
    proxy.ack(LISTENER)
    assert proxy.ask(ROUTE, "table") == ["RDS table"]
    proxy.ack(ROUTE)
    assert proxy.ask(CLUSTER, "v1") == ["CDS v1"]
    proxy.ack(CLUSTER)
    proxy.ask(ENDPOINT, "v1")
    proxy.settle()
    server.publish("edge", service("v2", 2))
    assert "RDS table" in proxy.take(), "proxyless gRPC asks for a cluster only when a route names it"


def test_ORDER_a_proxy_that_was_away_is_led_through_the_stages(server: XdsServer) -> None:
    first = started(server)
    first.leave()
    server.publish("edge", service("v2", 2))
    proxy = Proxy(server, accepted=dict(first.accepted))
    assert proxy.ask(CLUSTER) == ["CDS v1 v2"], "it routes to v1 still"
    assert proxy.ask(ENDPOINT, "v1") == []
    assert proxy.ask(LISTENER) == ["LDS entry"]
    assert proxy.ask(ROUTE, "table") == ["RDS table"]
    old = proxy.last[ROUTE].version
    assert old == first.last[ROUTE].version, "what it has, for v2 is not proven"
    assert proxy.ask(ENDPOINT, "v1", "v2", nonce="") == ["EDS v2"]
    proxy.ack(ENDPOINT)
    proxy.ack(LISTENER)
    proxy.ack(ROUTE)
    assert proxy.ack(CLUSTER) == ["RDS table"]
    assert proxy.ack(ROUTE) == ["CDS v2"]
    proxy.settle()
    assert proxy.acked(CLUSTER) == proxy.acked(ROUTE) == 2


def test_ORDER_a_refusal_that_names_a_cluster_holds_back_only_what_leads_to_it(server: XdsServer) -> None:
    bad = [cluster("bad"), endpoints("bad"), listener("other", "two", 81), route("two", bad=1)]
    server.publish("edge", [*service("fine"), *bad])
    proxy = Proxy(server)
    proxy.ask(CLUSTER)
    proxy.ask(LISTENER)
    assert proxy.ask(ROUTE, "table", "two") == []
    assert proxy.nack(CLUSTER, "Error adding/updating cluster(s) bad: no such thing") == [
        "LDS entry",
        "RDS table",
    ]
    assert proxy.acked(CLUSTER) is None


def test_ORDER_a_refusal_that_names_no_cluster_holds_back_all_routes(server: XdsServer) -> None:
    """A name that stands in the text as a part of another word is not blamed."""
    server.publish("edge", [*service("fine"), cluster("c"), endpoints("c")])
    proxy = Proxy(server)
    proxy.ask(CLUSTER)
    proxy.ask(LISTENER)
    assert proxy.ask(ROUTE, "table") == []
    assert proxy.nack(CLUSTER, "no such certificate-c or c/1") == ["LDS"], "nothing leads elsewhere"


def test_ORDER_removals_follow_what_goes_without_a_message(server: XdsServer) -> None:
    proxy = started(server)
    server.publish("edge", [])
    assert proxy.take() == ["LDS"]
    assert proxy.ack(LISTENER) == ["CDS"], (
        "the route table is gone in silence: the cluster must not wait for it"
    )


def test_ORDER_a_route_waits_for_a_client_that_accepts_clusters_before_it_asks_for_endpoints(
    server: XdsServer,
) -> None:
    proxy = started(server)
    server.publish("edge", service("v2", 2))
    proxy.take()
    assert proxy.ack(CLUSTER) == []
    assert proxy.ask(ENDPOINT, "v1", "v2") == ["EDS v2"]
    assert proxy.ack(ENDPOINT) == ["RDS table"]


def test_ORDER_a_route_waits_not_for_ever_for_a_client_that_never_asks_for_endpoints(
    server: XdsServer,
) -> None:
    proxy = started(server)
    server.publish("edge", service("v2", 2))
    proxy.take()
    assert proxy.ack(CLUSTER) == []
    assert proxy.session.wake_at is not None
    assert proxy.session.wake_at <= proxy.now + 0.5
    proxy.now = proxy.session.wake_at
    assert proxy.take() == ["RDS table"]
