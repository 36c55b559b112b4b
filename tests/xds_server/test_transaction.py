"""Transactions: the stages with a barrier over the fleet, and the barrier itself."""

from __future__ import annotations

import asyncio

import pytest

from tests.xds_server.proxy import DeltaProxy, Proxy
from tests.xds_server.resources import cluster, endpoints, route, service
from xds_server import (
    CLUSTER,
    ENDPOINT,
    ROUTE,
    InconsistentSnapshot,
    Outcome,
    Report,
    Stage,
    Target,
    Verdict,
    XdsServer,
    decide,
)
from xds_server.barrier import Enter, Stop, Wait

NEXT = [cluster("v2"), endpoints("v2", 2), route("table", v2=1)]
GONE = ((CLUSTER, "v1"), (ENDPOINT, "v1"))


def fleet_of(server: XdsServer, *kinds: type[Proxy] | type[DeltaProxy]) -> list[Proxy | DeltaProxy]:
    server.publish("edge", service("v1"))
    proxies = [kind(server, id=f"p{number}") for number, kind in enumerate(kinds)]
    for proxy in proxies:
        proxy.start("table")
    return proxies


async def turn() -> None:
    """Let the transaction take note."""
    for _ in range(5):
        await asyncio.sleep(0)


def note(server: XdsServer) -> None:
    """As a stream does after each request."""
    for live in server.fleet.streams():
        server.fleet.note(live)


def routed(server: XdsServer) -> frozenset[str]:
    """The clusters that the published table leads to."""
    table = server.group("edge").find(ROUTE, "table")
    assert table is not None
    return table.links.clusters


async def follow(server: XdsServer, *proxies: Proxy | DeltaProxy) -> None:
    """Take everything, ask for the endpoints of new clusters, acknowledge."""
    for proxy in proxies:
        proxy.settle()
        if isinstance(proxy, Proxy):
            proxy.ask(ENDPOINT, *proxy.last[CLUSTER].names)
        elif new := proxy.held[CLUSTER].keys() - proxy.held[ENDPOINT].keys():
            proxy.ask(ENDPOINT, *new)
        proxy.settle()
    note(server)
    await turn()


async def test_each_stage_waits_for_every_proxy(server: XdsServer) -> None:
    first, second = fleet_of(server, Proxy, DeltaProxy)
    running = asyncio.create_task(
        server.transaction(Target(("edge",), tuple(NEXT), GONE), timeout=30, expected=["p0", "p1"])
    )
    await turn()
    await follow(server, first)
    assert routed(server) == {"v1"}, "the second has not answered"
    await follow(server, second)
    assert routed(server) == {"v2"}
    await follow(server, first)
    assert server.group("edge").find(CLUSTER, "v1") is not None
    await follow(server, second)
    assert server.group("edge").find(CLUSTER, "v1") is None
    await follow(server, first, second)
    result = await running
    assert result.outcome is Outcome.DONE
    assert {node: report.verdict for node, report in result.proxies.items()} == {
        "p0": Verdict.ACKED,
        "p1": Verdict.ACKED,
    }


async def test_a_nack_stops_it_and_there_is_a_way_back(server: XdsServer) -> None:
    first, second = fleet_of(server, Proxy, Proxy)
    running = asyncio.create_task(server.transaction(Target(("edge",), tuple(NEXT), GONE), timeout=30))
    await turn()
    await follow(server, first, second)
    first.take()
    first.nack(ROUTE, "I do not like it")
    await follow(server, second)
    result = await running
    assert (result.outcome, result.stage) == (Outcome.NACKED, Stage.COMMIT)
    assert (result.proxies["p0"].verdict, result.proxies["p0"].text) == (Verdict.NACKED, "I do not like it")
    assert result.proxies["p1"].verdict in (Verdict.ACKED, Verdict.SILENT)
    back = asyncio.create_task(server.transaction(result.way_back[0], timeout=30))
    for _ in range(6):
        await turn()
        await follow(server, first, second)
    assert (await back).outcome is Outcome.DONE
    assert first.acked(ROUTE) == second.acked(ROUTE) == server.generation("edge")
    assert server.group("edge").find(CLUSTER, "v2") is None


async def test_a_silent_proxy_is_named_at_the_deadline(server: XdsServer) -> None:
    first, _silent, leaving = fleet_of(server, Proxy, Proxy, Proxy)
    running = asyncio.create_task(server.transaction(Target(("edge",), tuple(NEXT)), timeout=0.2))
    await turn()
    await follow(server, first)
    leaving.leave()
    result = await running
    assert (result.outcome, result.stage) == (Outcome.TIMED_OUT, Stage.PREPARE)
    assert {node: report.verdict for node, report in result.proxies.items()} == {
        "p0": Verdict.ACKED,
        "p1": Verdict.SILENT,
        "p2": Verdict.DISCONNECTED,
    }


async def test_concurrent_ones_on_a_group_merge(server: XdsServer) -> None:
    (proxy,) = fleet_of(server, DeltaProxy)
    one = asyncio.create_task(server.transaction(Target(("edge",), (cluster("a"),)), timeout=30))
    two = asyncio.create_task(server.transaction(Target(("edge",), (cluster("b"),)), timeout=30))
    await turn()
    assert proxy.take() == ["CDS a b"]
    proxy.ask(ENDPOINT, "a", "b")
    await follow(server, proxy)
    assert (await one).outcome is (await two).outcome is Outcome.DONE


async def test_a_later_version_that_contains_the_resource_counts(server: XdsServer) -> None:
    (proxy,) = fleet_of(server, Proxy)
    running = asyncio.create_task(server.transaction(Target(("edge",), (cluster("a"),)), timeout=30))
    await turn()
    assert proxy.take() == ["CDS a v1"]
    server.change("edge", [cluster("later")])
    proxy.now += 1
    assert proxy.take() == ["CDS a later v1"]
    await follow(server, proxy)
    assert (await running).outcome is Outcome.DONE


async def test_something_newer_supersedes_it(server: XdsServer) -> None:
    (proxy,) = fleet_of(server, Proxy)
    running = asyncio.create_task(server.transaction(Target(("edge",), (cluster("a"),)), timeout=30))
    await turn()
    server.change("edge", [cluster("a", 9)])
    await follow(server, proxy)
    assert (await running).outcome is Outcome.SUPERSEDED


async def test_an_inconsistent_one_changes_nothing(server: XdsServer) -> None:
    fleet_of(server, Proxy)
    with pytest.raises(InconsistentSnapshot):
        await server.transaction(Target(("edge",), (cluster("a"), cluster("a"))), timeout=1)
    assert server.generation("edge") == 1


def test_the_barrier_is_a_function_of_facts() -> None:
    target = Target(("edge",), (cluster("a"), route("r", a=1)))
    acked, silent = Report(Verdict.ACKED, 1.0), Report(Verdict.SILENT, 1.0)
    gone, refused = Report(Verdict.DISCONNECTED, 1.0), Report(Verdict.NACKED, 1.0, "no")
    assert decide(target, Stage.PREPARE, {"p": acked}) == Enter(Stage.COMMIT)
    assert decide(target, Stage.PREPARE, {"p": acked, "q": silent}) == Wait(("q",))
    assert decide(target, Stage.PREPARE, {"p": acked, "q": refused}) == Stop(Outcome.NACKED)
    assert decide(target, Stage.COMMIT, {"p": acked, "q": gone}) == Enter(Stage.RETIRE)
    assert decide(target, Stage.COMMIT, {"p": acked, "q": gone}, ["q"]) == Wait(("q",))
    assert decide(target, Stage.COMMIT, {"p": acked}, ["never seen"]) == Wait(("never seen",))
    assert decide(target, Stage.RETIRE, {"p": silent}) == Enter(Stage.DONE), "nothing to remove"


async def test_who_left_is_named_to_the_end(server: XdsServer) -> None:
    first, second = fleet_of(server, Proxy, DeltaProxy)
    running = asyncio.create_task(
        server.transaction(Target(("edge",), tuple(NEXT)), timeout=30, expected=["p0"])
    )
    await turn()
    second.leave()
    await follow(server, first)
    await follow(server, first)
    result = await running
    assert result.outcome is Outcome.DONE
    verdicts = {node: report.verdict for node, report in result.proxies.items()}
    assert verdicts == {"p0": Verdict.ACKED, "p1": Verdict.DISCONNECTED}


async def test_who_was_expected_and_never_came_is_named(server: XdsServer) -> None:
    fleet_of(server, Proxy)
    result = await server.transaction(Target(("edge",), tuple(NEXT)), timeout=0.05, expected=["p0", "ghost"])
    assert result.outcome is Outcome.TIMED_OUT
    assert result.proxies["ghost"].verdict is Verdict.DISCONNECTED
    assert result.proxies["p0"].verdict is Verdict.SILENT
