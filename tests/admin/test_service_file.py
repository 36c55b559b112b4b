from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from bluegreen.admin.contract import MAX_DOCUMENT
from bluegreen.admin.service_file import BadServiceFile, Problem, read_service_file, schema
from bluegreen.admin.service_file.document import MAX_VALUES
from bluegreen.model.description import describe
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.environment import Environment
from bluegreen.model.gateway import Gateway
from bluegreen.model.secret import Secret
from bluegreen.model.service import HealthCheck, Retries, Route, Service
from bluegreen.model.steering import Affinity, AffinitySource, ManualRouting, Mirror, MirroredMethods
from bluegreen.model.strategy import Step, Strategy

EXAMPLE = Path(__file__).parent / "files" / "services.yaml"

HEAD = """\
gateways:
  edge: {listen: 10000}
services:
  shop:
    gateways: [edge]
    domains: [shop.example.com]
"""


def problems(text: str) -> list[Problem]:
    with pytest.raises(BadServiceFile) as caught:
        read_service_file(text)
    return list(caught.value.problems)


def problem(text: str) -> Problem:
    (only,) = problems(text)
    return only


def test_the_example_says_what_it_seems_to_say() -> None:
    catalogue = read_service_file(EXAMPLE.read_text())
    assert catalogue.gateways == {
        "edge": Gateway("edge", Endpoint("0.0.0.0", 10000), Endpoint("127.0.0.1", 10001)),  # noqa: S104
        "sidecar": Gateway("sidecar", Endpoint("127.0.0.1", 15001), Endpoint("127.0.0.1", 15002)),
    }
    shop = catalogue.services["shop"]
    assert shop == Service(
        name="shop",
        gateways=("edge", "sidecar"),
        domains=("shop.example.com", "*.shop.example.com"),
        routes=(
            Route(),
            Route("/live", exact=True, timeout=0, retries=Retries(0, reset=False), websocket=True),
        ),
        health_check=HealthCheck(),
        strategy=Strategy((Step(10), Step(50, 0.15), Step(100))),
        endpoints={
            Environment.BLUE: (Endpoint("127.0.0.1", 9001), Endpoint("::1", 9001)),
            Environment.GREEN: (Endpoint("127.0.0.1", 9002),),
        },
    )
    assert catalogue.services["search"] == Service(
        "search", ("edge",), ("shop.example.com",), (Route("/search"),)
    )


def test_what_is_described_reads_back_the_same() -> None:
    catalogue = read_service_file(EXAMPLE.read_text())
    assert read_service_file(yaml.safe_dump(describe(catalogue))) == catalogue


def test_the_schema_takes_the_example_and_refuses_a_mistake(tmp_path: Path) -> None:
    schema_file, wrong = tmp_path / "schema.json", tmp_path / "wrong.yaml"
    schema_file.write_text(json.dumps(schema()))
    wrong.write_text(EXAMPLE.read_text().replace("keep_warm: 30m", "keep_warm: soon\n    Keep: 1"))
    check = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(schema_file)]
    taken = subprocess.run([*check, str(EXAMPLE)], capture_output=True, text=True, check=False)
    assert taken.returncode == 0, taken.stdout
    refused = subprocess.run([*check, str(wrong)], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "keep_warm" in refused.stdout
    assert "Keep" in refused.stdout


def test_every_problem_is_told_at_once_with_line_and_path() -> None:
    found = problems("""\
gateways:
  edge: {listen: 127.0.0.1:10000, preveiw: 10001}
  side: {listen: 15001, preview: 15001}
services:
  shop:
    gateways: [edge, nope]
    domains: [shop.example.com, "a b"]
    routes:
      - prefix: /
        timeout: 15x
        retries: 300
      - {prefix: /, path: /}
      - {path: /b, websocket: on}
    upstream: {protocol: http3, max_requests: "12"}
    environments:
      blue: {endpoints: ["127.0.0.1:9001"]}
      green: {endpoints: ["127.0.0.1:9001", "127.0.0.1"]}
      red: {}
    strategy: {steps: [50, 10]}
    drain: {grace: 80s}
    keep_warm: 1h
    keep_warm: 30m
  blog: {gateways: [edge]}
""")
    assert [(each.line, each.path) for each in found] == [
        (2, "gateways.edge.preveiw"),
        (3, "gateways.side.preview"),
        (6, "services.shop.gateways[1]"),
        (7, "services.shop.domains[1]"),
        (10, "services.shop.routes[0].timeout"),
        (11, "services.shop.routes[0].retries.attempts"),
        (12, "services.shop.routes[1]"),
        (13, "services.shop.routes[2].websocket"),
        (14, "services.shop.upstream.max_requests"),
        (14, "services.shop.upstream.protocol"),
        (17, "services.shop.environments.green.endpoints[1]"),
        (18, "services.shop.environments.red"),
        (19, "services.shop.strategy.steps"),
        (20, "services.shop.drain"),
        (22, "services.shop.keep_warm"),
        (23, "services.blog.domains"),
    ]
    assert "did you mean preview?" in found[0].message


@pytest.mark.parametrize(
    ("addition", "path", "words"),
    [
        ("keep_warn: 5m", "services.shop.keep_warn", "did you mean keep_warm?"),
        ("colour: red", "services.shop.colour", "known here: affinity, database, domains,"),
        (
            "strategy: {steps: [{percent: 10, puase: 3s}, 100]}",
            "services.shop.strategy.steps[0].puase",
            "pause",
        ),
        ("strategy: canary", "services.shop.strategy", "write atomic, or steps"),
        ("strategy: {steps: []}", "services.shop.strategy.steps", "must not be empty"),
        (
            "strategy: {steps: [0, 100]}",
            "services.shop.strategy.steps[0].percent",
            "greater than or equal to 1",
        ),
        ("strategy: {steps: [10, 10, 100]}", "services.shop.strategy.steps", "must grow and end with 100"),
        ("strategy: {steps: [10, 50]}", "services.shop.strategy.steps", "must grow and end with 100"),
        ("strategy: {steps: [{percent: 100, pause: 3s}]}", "services.shop.strategy.steps[0]", "no pause"),
        ("strategy: {step_deadline: 0}", "services.shop.strategy.step_deadline", "longer than 0"),
        ("keep_warm: -1", "services.shop.keep_warm", "no duration"),
        ("keep_warm: true", "services.shop.keep_warm", "no duration"),
        ("keep_warm: 400d", "services.shop.keep_warm", "longer than 366d"),
        ("drain: {grace: 2m}", "services.shop.drain", "must not be longer than deadline"),
        ("upstream: {max_connections: 0}", "services.shop.upstream.max_connections", "greater than or equal"),
        ("upstream: {panic_threshold: 101}", "services.shop.upstream.panic_threshold", "not 101"),
        ("upstream: {protocol: spdy}", "services.shop.upstream.protocol", "'http1', 'http2' or 'grpc'"),
        ("health_check: {path: healthz}", "services.shop.health_check.path", "begin with /"),
        ('routes: [{prefix: "/a b"}]', "services.shop.routes[0].prefix", "no blank"),
        ('routes: [{prefix: "/a\\r\\nx-evil: 1"}]', "services.shop.routes[0].prefix", "\\r\\n"),
        ("routes: [{prefix: /é}]", "services.shop.routes[0].prefix", "printable ASCII"),
        ("routes: [{path: /a?b=c}]", "services.shop.routes[0].path", "no ?"),
        ("routes: [{path: /a, prefix: /a}]", "services.shop.routes[0]", "not both"),
        ("routes: [{path: /a}, {path: /a}]", "services.shop.routes[1]", "routes[0]"),
        ("routes: /", "services.shop.routes", 'must be a list, not "/"'),
        ("routes: [{retries: {attempts: yes}}]", "services.shop.routes[0].retries.attempts", "whole number"),
        ("routes: [{websocket: yes}]", "services.shop.routes[0].websocket", "true or false"),
        (
            "environments: {blue: {endpoints: []}}",
            "services.shop.environments.blue.endpoints",
            "not be empty",
        ),
        (
            'environments: {blue: {endpoints: ["a:1", "a:1"]}}',
            "services.shop.environments.blue.endpoints",
            "twice",
        ),
        (
            'environments: {blue: {endpoints: ["a:1", "b:70000"]}}',
            "services.shop.environments.blue.endpoints[1]",
            "HOST:PORT",
        ),
        (
            'environments: {blue: {endpoints: ["a:1"]}, green: {endpoints: ["b:1", "a:1"]}}',
            "services.shop.environments",
            "share a:1",
        ),
    ],
)
def test_a_mistake_in_a_service(addition: str, path: str, words: str) -> None:
    found = problem(f"{HEAD}    {addition}\n")
    assert (found.line, found.path) == (7, path)
    assert words in found.message


@pytest.mark.parametrize(
    ("addition", "path", "words"),
    [
        ("affinity: {}", "affinity", "give header or cookie"),
        ("affinity: {header: x-user, cookie: id}", "affinity", "give header or cookie, not both"),
        ("affinity: {header: Cookie}", "affinity", "write {cookie: NAME}"),
        ("affinity: {header: ':path'}", "affinity.header", "no name of a header"),
        ("affinity: {header: 5}", "affinity.header", "no name of a header"),
        ("affinity: {cookie: 'a=b'}", "affinity.cookie", "no name of a cookie"),
        ("affinity: {ip: true}", "affinity.ip", "known here: cookie, header"),
        ("affinity: x-user", "affinity", "must be a mapping"),
        ("mirror: {percent: 0}", "mirror.percent", "greater than or equal to 0.01"),
        ("mirror: {percent: 100.01}", "mirror.percent", "less than or equal to 100"),
        ("mirror: {percent: 0.015}", "mirror.percent", "two decimals"),
        ("mirror: {percent: 5, methods: post}", "mirror.methods", "'safe' or 'all'"),
        ("mirror: {methods: all}", "mirror.percent", "is missing"),
        ("mirror: 5", "mirror", "must be a mapping"),
        ("mirror: {percent: 5}\n    upstream: {protocol: grpc}", "mirror", "gRPC"),
        ("manual_routing: {header: x-candidate}", "manual_routing.value", "is missing"),
        ("manual_routing: {value: 0123456789abcdef}", "manual_routing.header", "is missing"),
        ("manual_routing: {header: x-candidate, value: (secret)}", "manual_routing.value", "secret itself"),
    ],
)
def test_a_mistake_in_what_steers_requests(addition: str, path: str, words: str) -> None:
    found = problem(f"{HEAD}    {addition}\n")
    assert (found.line, found.path) == (7, f"services.shop.{path}")
    assert words in found.message


@pytest.mark.parametrize(
    "entry",
    [
        "hunter2",
        "[hunter2]",
        "{header: x-candidate, value: hunter2}",
        "{header: x-candidate, value: 1234567890123456789}",
        "{header: x-candidate, value: [hunter2]}",
        "{header: x-candidate, value: 'hunter2 hunter2 hunter2'}",
        "{header: x-candidate, value: hunter2ü1234567890}",
        f"{{header: x-candidate, value: {'hunter2' * 40}}}",
    ],
)
def test_a_complaint_about_a_secret_does_not_show_it(entry: str) -> None:
    found = problem(f"{HEAD}    manual_routing: {entry}\n")
    assert found.path.startswith("services.shop.manual_routing")
    assert "hunter2" not in str(found)
    assert "12345678" not in str(found)


def test_manual_routing_is_read() -> None:
    catalogue = read_service_file(
        f"{HEAD}    manual_routing: {{header: X-Candidate, value: 0123456789abcdef}}\n"
    )
    manual = catalogue.services["shop"].manual_routing
    assert manual == ManualRouting("x-candidate", Secret("0123456789abcdef"))
    assert "0123456789abcdef" not in repr(catalogue)
    assert "0123456789abcdef" not in str(describe(catalogue))


def test_what_steers_requests_is_read_and_described() -> None:
    catalogue = read_service_file(f"{HEAD}    affinity: {{header: X-User}}\n")
    assert catalogue.services["shop"].affinity == Affinity(AffinitySource.HEADER, "x-user")
    assert read_service_file(yaml.safe_dump(describe(catalogue))) == catalogue
    catalogue = read_service_file(f"{HEAD}    affinity: {{cookie: __Host-session}}\n")
    assert catalogue.services["shop"].affinity == Affinity(AffinitySource.COOKIE, "__Host-session")
    catalogue = read_service_file(f"{HEAD}    mirror: {{percent: 0.5, methods: all}}\n")
    assert catalogue.services["shop"].mirror == Mirror(0.5, MirroredMethods.ALL)
    assert read_service_file(yaml.safe_dump(describe(catalogue))) == catalogue


@pytest.mark.parametrize(
    "domain",
    [
        *("a b", "*a*", "a.*.b", "shop.example.com:8080", "ü.example", "", "x" * 254, "a" * 64),
        *("x..y", "-", "*.", "...", "*..com", ".*", "-a.example", "a-.example"),
    ],
)
def test_a_domain_that_envoy_could_not_match(domain: str) -> None:
    found = problem(HEAD.replace("[shop.example.com]", f"[{domain!r}]"))
    assert (found.line, found.path) == (6, "services.shop.domains[0]")


@pytest.mark.parametrize(
    "domain", ["*", "*.example.com", "*-eu.example.com", "shop.*", "shop-*", "127.0.0.1", "_x"]
)
def test_a_domain_that_envoy_can_match(domain: str) -> None:
    catalogue = read_service_file(HEAD.replace("[shop.example.com]", f"[{domain!r}]"))
    assert catalogue.services["shop"].domains == (domain,)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("//", "normal form"),
        ("/a//b", "normal form"),
        ("/a/../b", "normal form"),
        ("/a/.", "normal form"),
        ("/%2E%2e/b", "normal form"),
        ("/%zz", "two hexadecimal digits"),
        ("/a%2", "two hexadecimal digits"),
    ],
)
def test_a_path_that_no_request_would_have(path: str, words: str) -> None:
    found = problem(HEAD + f"    routes: [{{prefix: {path!r}}}]\n")
    assert (found.line, found.path) == (7, "services.shop.routes[0].prefix")
    assert words in found.message


@pytest.mark.parametrize("path", ["/", "/a/", "/a.b/..c/.d", "/%20", "/...", "/a;v=1"])
def test_a_path_in_its_normal_form(path: str) -> None:
    (route,) = read_service_file(HEAD + f"    routes: [{{prefix: {path!r}}}]\n").services["shop"].routes
    assert route.path == path


def test_an_endpoint_that_is_no_address() -> None:
    found = problem(HEAD + '    environments: {blue: {endpoints: ["[::::]:80"]}}\n')
    assert (found.line, found.path) == (7, "services.shop.environments.blue.endpoints[0]")
    assert "is no address" in found.message


def test_many_endpoints_are_compared_in_no_time() -> None:
    many = [f'"10.{each // 65536}.{each // 256 % 256}.{each % 256}:80"' for each in range(10_000)]
    started = time.perf_counter()
    found = problem(
        HEAD + f"    environments: {{blue: {{endpoints: [{', '.join([*many[:-1], many[0]])}]}}}}\n"
    )
    assert "stands here twice" in found.message
    assert time.perf_counter() - started < 5, "each is not compared with all the others"


def test_domains_are_the_same_in_any_case() -> None:
    catalogue = read_service_file(HEAD.replace("shop.example.com", "Shop.Example.COM"))
    assert catalogue.services["shop"].domains == ("shop.example.com",)


@pytest.mark.parametrize("name", ["Shop", "-shop", "shop-", "s" * 64, "shop.eu", "1", '"x\\u0007"'])
def test_a_name_that_is_none(name: str) -> None:
    found = problem(HEAD.replace("  shop:", f"  {name}:"))
    assert found.line == 4
    assert "is no name" in found.message


@pytest.mark.parametrize("listen", ["localhost:10000", "0", "70000", "10000.5", "[]", "127.0.0.1"])
def test_a_listener_that_envoy_could_not_bind(listen: str) -> None:
    found = problem(f"gateways: {{edge: {{listen: {listen}}}}}")
    assert (found.line, found.path) == (1, "gateways.edge.listen")


def test_the_last_port_leaves_none_for_the_preview() -> None:
    assert "preview" in problem("gateways: {edge: {listen: 65535}}").message


def test_two_services_on_one_route_are_both_named() -> None:
    text = HEAD + "  blog: {gateways: [edge], domains: [shop.example.com]}\n"
    found = problem(text)
    assert (found.line, found.path) == (4, "services.shop.routes[0]")
    assert "'shop' and 'blog' both claim prefix / of shop.example.com on gateway edge" in found.message


def test_a_mistake_does_not_hide_a_conflict_behind_it() -> None:
    text = HEAD + "    keep_warm: x\n  blog: {gateways: [edge], domains: [shop.example.com]}\n"
    assert [each.path for each in problems(text)] == ["services.shop.routes[0]", "services.shop.keep_warm"]


def test_a_gateway_with_a_mistake_is_not_unknown() -> None:
    assert problem(HEAD.replace("10000", "x")).path == "gateways.edge.listen"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 0, "empty"),
        ("# nothing\n", 0, "empty"),
        ("[1]", 1, "must be a mapping"),
        ("services:\n\tshop: 1", 2, "no YAML"),
        ("services: {\n\n", 3, "no YAML"),
        ("a\x00b", 1, "character"),
        ("services: {}\n\ud800", 2, "character"),
        ("services: {}\n---\nservices: {}", 2, "second document"),
        ("services: !!python/object:os.system {}", 1, "Tags"),
        ("services: &all {}", 1, "Anchors"),
        ("services: {}\nservices: {}", 2, "stands in line 1 already"),
        ("? [a]\n: 1", 1, "must be a word"),
        ("[" * 100_000, 1, "nested more than"),
        ("- " * 100, 1, "nested more than"),
        (f"[{'1,' * MAX_VALUES}]", 1, "too long"),
        ("#" * (MAX_DOCUMENT + 1), 0, "larger than 4 MiB"),
        ("ä" * (MAX_DOCUMENT // 2 + 1), 0, "larger than 4 MiB"),
    ],
    ids=lambda value: str(value)[:20].encode("ascii", "replace").decode(),
)
def test_a_text_that_is_no_service_file(text: str, line: int, words: str) -> None:
    found = problem(text)
    assert found.line == line
    assert words in found.message


def test_aliases_are_not_followed() -> None:
    bomb = "services: &a [x, x]\ngateways: [*a, *a]\n"
    assert [each.path for each in problems(bomb)] == ["services", "gateways", "gateways[0]", "gateways[1]"]


def test_a_file_full_of_mistakes_is_told_of_in_part() -> None:
    text = "services:\n" + "".join(f"  s{index}: 5\n" for index in range(1000))
    assert len(problems(text)) == 200
