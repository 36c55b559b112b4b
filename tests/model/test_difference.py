from __future__ import annotations

from dataclasses import replace

from bluegreen.model.catalogue import Catalogue, ChangeKind, Difference
from bluegreen.model.difference import difference
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.environment import Environment
from bluegreen.model.gateway import Gateway
from bluegreen.model.secret import Secret
from bluegreen.model.service import Drain, HealthCheck, Route, Service
from bluegreen.model.steering import Affinity, AffinitySource, ManualRouting, Mirror
from bluegreen.model.strategy import Step, Strategy

EDGE = Gateway("edge", Endpoint("127.0.0.1", 10000), Endpoint("127.0.0.1", 10001))
SHOP = Service("shop", ("edge",), ("shop.example.com",))


def catalogue(*entries: Gateway | Service) -> Catalogue:
    return Catalogue(
        {entry.name: entry for entry in entries if isinstance(entry, Gateway)},
        {entry.name: entry for entry in entries if isinstance(entry, Service)},
    )


def test_equal_catalogues_differ_in_nothing() -> None:
    assert difference(catalogue(EDGE, SHOP), catalogue(EDGE, SHOP)) == []


def test_what_comes_and_goes_is_one_line_each() -> None:
    blog = replace(SHOP, name="blog")
    assert difference(catalogue(SHOP), catalogue(EDGE, blog)) == [
        Difference(ChangeKind.ADDED, "gateways.edge"),
        Difference(ChangeKind.ADDED, "services.blog"),
        Difference(ChangeKind.REMOVED, "services.shop"),
    ]


def test_each_changed_value_has_its_line_in_the_words_of_the_file() -> None:
    changed = replace(
        SHOP,
        domains=("shop.example.com", "*"),
        drain=Drain(deadline=30),
        health_check=HealthCheck(),
        strategy=Strategy((Step(10, 30), Step(100))),
        routes=(Route(timeout=0.15), Route("/live", exact=True)),
        endpoints={Environment.BLUE: (Endpoint("127.0.0.1", 9001),)},
    )
    lines = {
        each.path: (each.kind, each.before, each.after)
        for each in difference(catalogue(SHOP), catalogue(changed))
    }
    assert lines == {
        "services.shop.domains": (ChangeKind.CHANGED, "[shop.example.com]", "[shop.example.com, *]"),
        "services.shop.routes[0].timeout": (ChangeKind.CHANGED, "15s", "150ms"),
        "services.shop.routes[1]": (
            ChangeKind.ADDED,
            "",
            "{path: /live, timeout: 15s, idle_timeout: 5m, retries: {attempts: 3, reset: true}, "
            "websocket: false}",
        ),
        "services.shop.health_check.type": (ChangeKind.CHANGED, "connect", "http"),
        "services.shop.health_check.path": (ChangeKind.ADDED, "", "/healthz"),
        "services.shop.environments.blue": (ChangeKind.ADDED, "", "{endpoints: [127.0.0.1:9001]}"),
        "services.shop.strategy.steps[0].percent": (ChangeKind.CHANGED, "100", "10"),
        "services.shop.strategy.steps[0].pause": (ChangeKind.ADDED, "", "30s"),
        "services.shop.strategy.steps[1]": (ChangeKind.ADDED, "", "{percent: 100}"),
        "services.shop.drain.deadline": (ChangeKind.CHANGED, "1m", "30s"),
    }


def test_what_steers_requests_comes_and_goes_whole_and_changes_by_value() -> None:
    one = replace(SHOP, mirror=Mirror(5.0), affinity=Affinity(AffinitySource.HEADER, "x-user"))
    other = replace(one, mirror=Mirror(0.5))
    assert difference(catalogue(SHOP), catalogue(one)) == [
        Difference(ChangeKind.ADDED, "services.shop.affinity", after="{header: x-user}"),
        Difference(ChangeKind.ADDED, "services.shop.mirror", after="{percent: 5, methods: safe}"),
    ]
    assert difference(catalogue(one), catalogue(other)) == [
        Difference(ChangeKind.CHANGED, "services.shop.mirror.percent", "5", "0.5")
    ]


def test_a_secret_differs_and_is_not_shown() -> None:
    one, other = (
        replace(SHOP, manual_routing=ManualRouting("x-candidate", Secret(value)))
        for value in ("first-secret-of-all", "another-secret")
    )
    path = "services.shop.manual_routing"
    assert difference(catalogue(SHOP), catalogue(one)) == [
        Difference(ChangeKind.ADDED, path, after="{header: x-candidate, value: (secret)}")
    ]
    assert difference(catalogue(one), catalogue(other)) == [
        Difference(ChangeKind.CHANGED, f"{path}.value", "(secret)", "(another secret)")
    ]
    assert difference(catalogue(one), catalogue(SHOP)) == [
        Difference(ChangeKind.REMOVED, path, before="{header: x-candidate, value: (secret)}")
    ]
