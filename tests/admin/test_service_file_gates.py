"""Gates in the service file: read, described, compared, stored; and each mistake at its place."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bluegreen.admin.service_file import BadServiceFile, Problem, read_service_file, schema
from bluegreen.model.acceptance_test import CommandTest, GrpcTest, HttpExpectation, HttpTest
from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.analysis import (
    Analysis,
    CommandSource,
    Comparing,
    OnFinding,
    PrometheusSource,
    WebhookSource,
)
from bluegreen.model.catalogue import Catalogue, ChangeKind, Difference
from bluegreen.model.condition import Comparison, parse_condition
from bluegreen.model.description import describe
from bluegreen.model.difference import difference
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.event import Origin, What
from bluegreen.model.gates import Gates
from bluegreen.model.gateway import Gateway
from bluegreen.model.hook import Hook, Moment, OnHookFailure
from bluegreen.model.rollout import Rollout, RolloutKind
from bluegreen.model.secret import Secret
from bluegreen.model.service import Service
from bluegreen.model.strategy import Step
from bluegreen.model.traffic_rule import TrafficRule
from bluegreen.rollout.catalogue_change import plan
from deployment_store.records import GATEWAY, SERVICE

EVERYTHING = Path(__file__).parent / "files" / "gates.yaml"
EXAMPLE = Path(__file__).parents[2] / "examples" / "services.yaml"

HEAD = """\
gateways:
  edge: {listen: 10000}
services:
  shop:
    gateways: [edge]
    domains: [shop.example.com]
    upstream: {protocol: http2}
    gates:
"""

HOME = "{name: a, http: {}}"


def problems(text: str) -> list[Problem]:
    with pytest.raises(BadServiceFile) as caught:
        read_service_file(text)
    return list(caught.value.problems)


def read(gates: str) -> Gates:
    return read_service_file(f"{HEAD}      {gates}\n").services["shop"].gates


def described(gates: str) -> dict[str, Any]:
    gates_now: dict[str, Any] = describe(read_service_file(f"{HEAD}      {gates}\n"))["services"]["shop"][
        "gates"
    ]
    return gates_now


def changes(old: str, new: str) -> list[Difference]:
    return difference(*(read_service_file(f"{HEAD}      {each}\n") for each in (old, new)))


def test_every_kind_of_gate_is_read() -> None:
    catalogue = read_service_file(EVERYTHING.read_text())
    assert catalogue.gateways["edge"] == Gateway(
        "edge",
        Endpoint("0.0.0.0", 10000),  # noqa: S104
        Endpoint("0.0.0.0", 10001),  # noqa: S104
        url="https://edge.internal",
        preview_url="http://[::1]:10001",
    )
    shop = catalogue.services["shop"]
    assert shop.strategy.steps == (Step(10, 300.0), Step(50, None, approval=True), Step(100))
    assert shop.gates.min_healthy == 66.5
    assert shop.gates.tests == (
        HttpTest(
            name="home page",
            method="POST",
            path="/?q=a%20b",
            headers={"accept": Secret("text/html"), "authorization": Secret("Bearer hunter2")},
            body='{"a": 1}',
            expect=HttpExpectation(
                status=(200, 204),
                body="text",
                json={"/status": '"ok"', "/a~1b/0": "1.5", "/no": "null", "": '{"x": [true, {"y": 1}]}'},
                max_latency=0.5,
            ),
            repeat=20,
            retries=2,
            timeout=5.0,
        ),
        HttpTest("smallest"),
        GrpcTest("health", "shop.v1.Shop", 3, 1, 2.0),
        GrpcTest("server"),
        CommandTest("integration", ("pytest", "-q", "tests/integration"), 1, 600.0),
    )
    assert shop.gates.analysis == Analysis(
        conditions=(parse_condition("success_rate >= 99.9"), parse_condition("p99 <= 1.2 x active")),
        sources=(
            PrometheusSource(
                name="orders",
                url="http://prometheus:9090/prefix",
                query='orders{service="{service}", revision="{revision}"}',
                comparison=Comparison.AT_LEAST,
                threshold=-0.5,
                interval=20.0,
                timeout=4.0,
                headers={"x-scope": Secret("shop")},
            ),
            WebhookSource(
                "judge",
                "https://judge.example.com/hunter2?a=b",
                headers={"authorization": Secret("Bearer hunter2")},
            ),
            CommandSource("script", ("./check.sh",)),
        ),
        comparing=Comparing(0.05, 1.5),
        window=60.0,
        interval=2.0,
        min_requests=100,
        failures=3,
        errors=4,
        on_fail=OnFinding.PAUSE,
        on_error=OnFinding.TURN_BACK,
    )
    assert shop.gates.hooks == (
        Hook(
            name="freeze check",
            moment=Moment.BEFORE_DEPLOY,
            url="https://calendar.example.com/hunter2",
            headers={"authorization": Secret("Bearer hunter2")},
            timeout=10.0,
            on_failure=OnHookFailure.IGNORE,
        ),
        Hook("ready", Moment.BEFORE_SHIFT, command=("./ready.sh", "now")),
        Hook("tell", Moment.AFTER_SHIFT, command=("./tell.sh",), on_failure=OnHookFailure.IGNORE),
        Hook("tell", Moment.AFTER_ROLLBACK, command=("./tell.sh",), on_failure=OnHookFailure.IGNORE),
        Hook("stop", Moment.AFTER_RETIRE, command=("./stop.sh",), on_failure=OnHookFailure.IGNORE),
    )


def test_a_service_without_gates_has_the_default() -> None:
    assert read("min_healthy: 100") == Gates()
    assert read("{analysis: {compare: statistical}}").analysis == Analysis(comparing=Comparing())


def test_no_secret_is_shown() -> None:
    catalogue = read_service_file(EVERYTHING.read_text())
    lines = difference(Catalogue(catalogue.gateways, {"shop": Service("shop", (), ())}), catalogue)
    for shown in (str(describe(catalogue)), str(lines)):
        assert "hunter2" not in shown
    for line in lines:
        assert "hunter2" not in line.after
    assert "headers: {accept: (secret), authorization: (secret)}" in str(lines)
    assert "webhook: {url: https://judge.example.com/(secret)" in str(lines)


def test_what_is_described_reads_back_the_same() -> None:
    catalogue = read_service_file(EVERYTHING.read_text())
    shop = catalogue.services["shop"]
    analysis = shop.gates.analysis
    assert analysis is not None
    open_gates = replace(
        shop.gates,
        tests=tuple(
            replace(each, headers={}) if isinstance(each, HttpTest) else each for each in shop.gates.tests
        ),
        analysis=replace(
            analysis,
            sources=tuple(
                replace(each, headers=None) if isinstance(each, PrometheusSource) else each
                for each in analysis.sources
                if not isinstance(each, WebhookSource)
            ),
        ),
        hooks=tuple(hook for hook in shop.gates.hooks if hook.url is None),
    )
    open_catalogue = Catalogue(catalogue.gateways, {"shop": replace(shop, gates=open_gates)})
    assert read_service_file(yaml.safe_dump(describe(open_catalogue))) == open_catalogue


def test_every_kind_of_gate_survives_the_store() -> None:
    catalogue = read_service_file(EVERYTHING.read_text())
    shop, edge = catalogue.services["shop"], catalogue.gateways["edge"]
    assert SERVICE.validate_json(SERVICE.dump_json(shop)) == shop
    assert GATEWAY.validate_json(GATEWAY.dump_json(edge)) == edge


def test_a_service_that_was_stored_before_there_were_gates_is_read() -> None:
    shop = Service("shop", ("edge",), ("shop.example.com",))
    stored = SERVICE.dump_python(shop, mode="json")
    del stored["gates"]
    for step in stored["strategy"]["steps"]:
        del step["approval"]
    assert SERVICE.validate_python(stored) == shop


def test_the_schema_takes_every_gate_and_refuses_a_mistake(tmp_path: Path) -> None:
    schema_file, wrong = tmp_path / "schema.json", tmp_path / "wrong.yaml"
    schema_file.write_text(json.dumps(schema()))
    wrong.write_text(EVERYTHING.read_text().replace("grpc: {service", "http: {}\n          grpc: {service"))
    check = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(schema_file)]
    taken = subprocess.run(
        [*check, str(EVERYTHING), str(EXAMPLE)], capture_output=True, text=True, check=False
    )
    assert taken.returncode == 0, taken.stdout
    refused = subprocess.run([*check, str(wrong)], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "tests[2]" in refused.stdout


def test_the_example_can_be_served() -> None:
    gates = {name: each.gates for name, each in read_service_file(EXAMPLE.read_text()).services.items()}
    assert [test.name for test in gates["search"].tests] == ["search is up"]
    assert len(gates["shop"].tests) == 3


@pytest.mark.parametrize(
    ("addition", "path", "words"),
    [
        ("min_healthy: 0", "min_healthy", "1% to 100%"),
        ("min_healthy: 101%", "min_healthy", '"101%" is no percentage'),
        ("min_healthy: true", "min_healthy", "no percentage"),
        ("min_healthy: most", "min_healthy", "no percentage"),
        ("smoke: []", "smoke", "known here: analysis, hooks, min_healthy, tests"),
        ("test: []", "test", "did you mean tests?"),
        ("tests: {}", "tests", "must be a list"),
        (f"tests: [{', '.join(f'{{name: t{n}, http: {{}}}}' for n in range(51))}]", "tests", "at most 50"),
    ],
)
def test_a_mistake_in_gates(addition: str, path: str, words: str) -> None:
    (found,) = problems(f"{HEAD}      {addition}\n")
    assert (found.line, found.path) == (9, f"services.shop.gates.{path}")
    assert words in found.message


@pytest.mark.parametrize(
    ("entry", "path", "words"),
    [
        ("{http: {}}", ".name", "is missing"),
        ("{name: '', http: {}}", ".name", "no name"),
        ("{name: 5, http: {}}", ".name", "in quotes"),
        ('{name: "a\\tb", http: {}}', ".name", "printable"),
        (f"{{name: {'a' * 65}, http: {{}}}}", ".name", "1 to 64"),
        ("{name: a}", "", "give http, grpc or command"),
        ("{name: a, http: }", "", "give http, grpc or command"),
        ("{name: a, http: {}, grpc: {}}", "", "give http or grpc, not both"),
        ("{name: a, http: {}, command: [x]}", "", "give http or command, not both"),
        ("{name: a, tcp: {}}", ".tcp", "known here: command, grpc, http, name"),
        ("{name: a, http: /}", ".http", "must be a mapping"),
        ("{name: a, http: {}, repeat: 0}", ".repeat", "greater than or equal to 1"),
        ("{name: a, http: {}, retries: 101}", ".retries", "less than or equal to 100"),
        ("{name: a, http: {}, timeout: 0}", ".timeout", "longer than 0"),
        ("{name: a, http: {}, timeout: 7h}", ".timeout", "not be longer than 6h"),
        ("{name: a, http: {}, repeat: 1000, retries: 9}", "", "may take 100000s (repeat x (retries + 1)"),
        ("{name: a, command: [x], timeout: 2h, retries: 3}", "", "may take 8h"),
        ("{name: a, command: [x], repeat: 2}", "", "repeat is for http and grpc"),
        ("{name: a, command: ./x -v}", ".command", "such as [./check.sh, --fast]: no shell"),
        ("{name: a, command: []}", ".command", "must be a list of a program"),
        ("{name: a, command: ['']}", ".command", "[0] must be a program"),
        (
            "{name: a, command: [sleep, 5]}",
            ".command",
            "[1] must be a text (in quotes, if it is a number), not 5",
        ),
        ('{name: a, command: [x, "a\\0b"]}', ".command", "none of them zero"),
        (f"{{name: a, command: [{', '.join('x' * 101)}]}}", ".command", "longer than 100 arguments"),
        (f"{{name: a, command: [{'x' * 9000}]}}", ".command", "at most 8000"),
        ("{name: a, grpc: {service: a b}}", ".grpc.service", "no gRPC service"),
        ("{name: a, grpc: {servise: a}}", ".grpc.servise", "did you mean service?"),
        ("{name: a, http: {method: 'GE T'}}", ".http.method", "no method"),
        ("{name: a, http: {method: connect}}", ".http.method", "no method"),
        ("{name: a, http: {path: home}}", ".http.path", "begin with /"),
        ("{name: a, http: {path: '/a b'}}", ".http.path", "no blank"),
        ("{name: a, http: {path: '/a#b'}}", ".http.path", "no #"),
        ('{name: a, http: {path: "/a\\r\\nx: y"}}', ".http.path", "printable ASCII"),
        ("{name: a, http: {body: {a: 1}}}", ".http.body", "must be a text, not a mapping"),
        (f"{{name: a, http: {{body: {'x' * 65537}}}}}", ".http.body", "at most 65536 characters"),
        ("{name: a, http: {headers: {Host: b}}}", ".http.headers.Host", "service's first domain"),
        ("{name: a, http: {headers: {Content-Length: '1'}}}", ".http.headers.Content-Length", "the body"),
        ("{name: a, http: {headers: {Upgrade: h2c}}}", ".http.headers.Upgrade", "about the connection"),
        ("{name: a, http: {headers: {':path': /}}}", '.http.headers[":path"]', "no name of a header"),
        ("{name: a, http: {headers: {'a b': c}}}", '.http.headers["a b"]', "no name of a header"),
        ("{name: a, http: {headers: {A: b, a: c}}}", ".http.headers", '"a" stands here twice'),
        ("{name: a, http: {expect: {status: 99}}}", ".http.expect.status[0]", "greater than or equal to 100"),
        ("{name: a, http: {expect: {status: []}}}", ".http.expect.status", "must not be empty"),
        ("{name: a, http: {expect: {status: [200, 200]}}}", ".http.expect.status", "twice"),
        ("{name: a, http: {expect: {status: 2xx}}}", ".http.expect.status", "must be a list"),
        ("{name: a, http: {expect: {body: ''}}}", ".http.expect.body", "must not be empty"),
        ("{name: a, http: {expect: {json: {status: ok}}}}", ".http.expect.json.status", "no JSON pointer"),
        ("{name: a, http: {expect: {json: {/a~b: ok}}}}", '.http.expect.json["/a~b"]', "no JSON pointer"),
        ("{name: a, http: {expect: {jsn: {}}}}", ".http.expect.jsn", "did you mean json?"),
        ("{name: a, http: {expect: {json_values: {}}}}", ".http.expect.json_values", "no such key"),
        ("{name: a, http: {expect: {max_latency: 11s}}}", "", "max_latency must not be longer than timeout"),
    ],
)
def test_a_mistake_in_a_test(entry: str, path: str, words: str) -> None:
    (found,) = problems(f"{HEAD}      tests:\n        - {entry}\n")
    assert (found.line, found.path) == (10, f"services.shop.gates.tests[0]{path}")
    assert words in found.message


@pytest.mark.parametrize(
    ("addition", "path", "words"),
    [
        ("{}", "", "give conditions, compare or sources"),
        ("{conditions: [], sources: []}", "", "give conditions, compare or sources"),
        ("{conditions: [sucess_rate >= 99]}", ".conditions[0]", "column 1"),
        ("{conditions: [p99 <= 5, p99 < 5 bananas]}", ".conditions[1]", "column 9"),
        ("{conditions: [99]}", ".conditions[0]", "99 is no condition"),
        (f"{{conditions: [{'p' * 201}]}}", ".conditions[0]", "at most 200 characters"),
        ("{conditions: [p99 <= 500, p99 <= 0.5 s]}", ".conditions[1]", "the same as conditions[0]"),
        ("{compare: bayes}", ".compare", "write statistical"),
        ("{compare: {statistical: {false_alarms: 0}}}", ".compare.statistical.false_alarms", "greater than"),
        ("{compare: {statistical: {false_alarms: 1}}}", ".compare.statistical.false_alarms", "less than"),
        ("{compare: {statistical: {at_least: 0.5}}}", ".compare.statistical.at_least", "greater than"),
        ("{compare: {statistical: {at_lest: 2}}}", ".compare.statistical.at_lest", "did you mean at_least?"),
        ("{compare: {}}", ".compare.statistical", "is missing"),
        ("{compare: statistical, window: 11m}", ".window", "longer than 10m"),
        ("{compare: statistical, window: 3s, interval: 2s}", "", "window must be at least twice as long"),
        ("{compare: statistical, interval: 20s}", "", "window must be at least twice as long"),
        ("{compare: statistical, interval: 50ms}", ".interval", "at least 100ms"),
        ("{compare: statistical, min_requests: 0}", ".min_requests", "greater than or equal to 1"),
        ("{compare: statistical, failures: 0}", ".failures", "greater than or equal to 1"),
        ("{compare: statistical, errors: 1001}", ".errors", "less than or equal to 1000"),
        ("{compare: statistical, on_fail: abort}", ".on_fail", "'turn-back' or 'pause'"),
        ("{compare: statistical, on_error: pass}", ".on_error", "'turn-back' or 'pause'"),
    ],
)
def test_a_mistake_in_an_analysis(addition: str, path: str, words: str) -> None:
    (found,) = problems(f"{HEAD}      analysis: {addition}\n")
    assert (found.line, found.path) == (9, f"services.shop.gates.analysis{path}")
    assert words in found.message


@pytest.mark.parametrize(
    ("entry", "path", "words"),
    [
        ("{name: a}", "", "give prometheus, webhook or command"),
        ("{name: a, prometheus: {url: 'http://p', query: up}}", "", "give the condition"),
        ("{name: a, webhook: {url: 'http://p'}, condition: '> 5'}", "", "condition is for prometheus"),
        ("{name: a, prometheus: {query: up}, condition: '> 5'}", ".prometheus.url", "is missing"),
        ("{name: a, prometheus: {url: 'http://p'}, condition: '> 5'}", ".prometheus.query", "is missing"),
        (
            "{name: a, prometheus: {url: 'http://p', query: ''}, condition: '> 5'}",
            ".prometheus.query",
            "PromQL",
        ),
        (
            "{name: a, prometheus: {url: 'http://p', query: 'up{s=\"{sevice}\"}'}, condition: '> 5'}",
            ".prometheus.query",
            "there is no {sevice} to fill in; known: {service}, {version}",
        ),
        ("{name: a, prometheus: {url: 'http://p', query: up}, condition: 5}", ".condition", '">= 5"'),
        (
            "{name: a, prometheus: {url: 'http://p', query: up}, condition: '== 5'}",
            ".condition",
            '"== 5" is no',
        ),
        ("{name: a, prometheus: {url: 'http://p', query: up}, condition: '> nan'}", ".condition", "is no"),
        (
            "{name: a, webhook: {url: 'http://p', headers: {Content-Type: a}}}",
            ".webhook.headers",
            "cannot be set",
        ),
        ("{name: a, command: [x], interval: 6m}", ".interval", "longer than 5m"),
        ("{name: a, command: [x], timeout: 6m}", ".timeout", "longer than 5m"),
    ],
)
def test_a_mistake_in_a_source(entry: str, path: str, words: str) -> None:
    (found,) = problems(f"{HEAD}      analysis:\n        sources:\n          - {entry}\n")
    assert (found.line, found.path) == (11, f"services.shop.gates.analysis.sources[0]{path}")
    assert words in found.message


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://a", "is no URL"),
        ("a.example.com/hook", "is no URL"),
        ("file:///etc/passwd", "is no URL"),
        ("http://", "is no URL"),
        ("http:///a", "no host, or no port"),
        ("http://a b", "without blanks"),
        ("http://a\\r\\nHost: b", "without blanks"),
        ("http://ü.example", "is no URL"),
        ("http://a:0", "no host, or no port"),
        ("http://a:65536", "no host, or no port"),
        ("http://a:b", "no host, or no port"),
        ("http://[::1", "no host, or no port"),
        ("http://a\\\\b", "no host, or no port"),
        ("http://a/b#c", "fragment"),
        ("http://user:hunter2@a", "no user and no password"),
        ("http://hunter2@a:b", "This has no host, or no port"),
        ("https//user:hunter2@a", "This is no URL"),
        (f"http://{'a' * 2001}", "is no URL"),
    ],
)
def test_a_url_that_is_none(url: str, words: str) -> None:
    (found,) = problems(
        f'{HEAD}      hooks:\n        after_shift: [{{name: a, webhook: {{url: "{url}"}}}}]\n'
    )
    assert (found.line, found.path) == (10, "services.shop.gates.hooks.after_shift[0].webhook.url")
    assert words in found.message
    assert "hunter2" not in found.message


@pytest.mark.parametrize(
    ("addition", "path", "words"),
    [
        ("after-shift: []", ".after-shift", "did you mean after_shift?"),
        ("before_lunch: []", ".before_lunch", "did you mean before_"),
        ("before_shift: [{name: a}]", ".before_shift[0]", "give webhook or command"),
        ("before_shift: [{name: a, webhook: 'https://hunter2'}]", ".before_shift[0].webhook", "not a text."),
        ("before_shift: [{name: a, webhook: {}}]", ".before_shift[0].webhook.url", "is missing"),
        (
            "before_shift: [{name: a, command: [x], on_failure: pause}]",
            ".before_shift[0].on_failure",
            "'abort'",
        ),
        (
            "before_shift: [{name: a, command: [x], timeout: 2h}]",
            ".before_shift[0].timeout",
            "longer than 1h",
        ),
        (
            "after_retire: [{name: a, command: [x], on_failure: abort}]",
            ".after_retire[0].on_failure",
            "happened",
        ),
        ("after_shift: [{name: a, command: [x]}, {name: a, command: [y]}]", ".after_shift[1]", "same name"),
    ],
)
def test_a_mistake_in_a_hook(addition: str, path: str, words: str) -> None:
    (found,) = problems(f"{HEAD}      hooks:\n        {addition}\n")
    assert (found.line, found.path.replace(".hooks", "", 1)) == (10, f"services.shop.gates{path}")
    assert words in found.message


@pytest.mark.parametrize(
    "headers",
    [
        "Bearer hunter2",
        "[hunter2]",
        "{authorization: [hunter2]}",
        "{authorization: ' hunter2'}",
        '{authorization: "hunter2\\r\\nx: y"}',
        "{authorization: hünter2 hunter2}",
        "{authorization: 'hunter2 '}",
        "{authorization: 1234567}",
        "{authorization: (secret), x: y}",
        f"{{authorization: {'hunter2' * 2000}}}",
    ],
)
def test_a_complaint_about_headers_shows_no_value(headers: str) -> None:
    (found,) = problems(f"{HEAD}      tests: [{{name: a, http: {{headers: {headers}}}}}]\n")
    assert found.path.startswith("services.shop.gates.tests[0].http.headers")
    assert "hunter2" not in str(found)
    assert "1234567" not in str(found)


def test_names_are_distinct_and_the_second_one_is_told() -> None:
    (found,) = problems(f"{HEAD}      tests:\n        - {HOME}\n        - {HOME}\n")
    assert (found.line, found.path) == (11, "services.shop.gates.tests[1]")
    assert found.message == "tests[0] has the same name."
    source = "{name: a, command: [x]}"
    (found,) = problems(
        f"{HEAD}      analysis:\n        sources:\n          - {source}\n          - {source}\n"
    )
    assert (found.line, found.path) == (12, "services.shop.gates.analysis.sources[1]")


def test_grpc_does_not_pass_through_http1() -> None:
    text = HEAD.replace("http2", "http1") + "      tests: [{name: a, grpc: {}}]\n"
    (found,) = problems(text)
    assert (found.line, found.path) == (9, "services.shop.gates.tests[0]")
    assert "set it to grpc or http2" in found.message


@pytest.mark.parametrize("preview", ["0.0.0.0:10001", "'[::]:10001'"])
def test_tests_need_an_address_to_ask(preview: str) -> None:
    open_preview = HEAD.replace("10000}", f"10000, preview: {preview}}}")
    (found,) = problems(f"{open_preview}      tests: [{HOME}]\n")
    assert (found.line, found.path) == (2, "gateways.edge.preview")
    assert "'shop'" in found.message
    assert "add preview_url, such as http://edge.internal:10001" in found.message
    read_service_file(f"{open_preview}      tests: [{{name: a, command: [x]}}]\n")
    told = open_preview.replace("10000,", "10000, preview_url: 'http://edge:1',")
    assert read_service_file(f"{told}      tests: [{HOME}]\n").gateways["edge"].preview_url == "http://edge:1"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("edge:8080", "is no URL"),
        ("http://edge/base", "must end after the host and port"),
        ("http://edge?a", "must end after the host and port"),
        ("http://a:hunter2@edge", "no user and no password"),
    ],
)
def test_a_mistake_in_where_a_gateway_is_reached(url: str, words: str) -> None:
    for key in ("url", "preview_url"):
        (found,) = problems(f"gateways:\n  edge:\n    listen: 1\n    {key}: {url}\n")
        assert (found.line, found.path) == (4, f"gateways.edge.{key}")
        assert words in found.message


def test_the_last_step_has_nothing_to_approve_of() -> None:
    text = HEAD.replace("    gates:\n", "    strategy: {steps: [10, {percent: 100, approval: true}]}\n")
    (found,) = problems(text)
    assert (found.line, found.path) == (8, "services.shop.strategy.steps[1]")
    assert "approval is for the step before it" in found.message


def test_mistakes_in_several_gates_are_told_at_once() -> None:
    found = problems(
        f"{HEAD}      tests: [{{name: a, http: {{path: x}}}}]\n"
        "      analysis: {conditions: [p98 <= 1], compare: guess}\n"
        "      hooks: {before_shift: [{name: a, command: x}]}\n"
    )
    assert [each.path.removeprefix("services.shop.gates.") for each in found] == [
        "tests[0].http.path",
        "analysis.compare",
        "analysis.conditions[0]",
        "hooks.before_shift[0].command",
    ]


def test_a_gate_that_changes_is_told_by_its_name() -> None:
    b, c = "{name: b, http: {}}", "{name: c, grpc: {}}"
    at = "services.shop.gates"
    assert changes(f"tests: [{HOME}, {b}]", f"tests: [{b}]") == [
        Difference(ChangeKind.REMOVED, f"{at}.tests[a]", before=_shown("a"))
    ]
    assert changes(f"tests: [{HOME}, {b}]", f"tests: [{b}, {HOME}]") == [
        Difference(ChangeKind.CHANGED, f"{at}.tests: order", "[a, b]", "[b, a]")
    ]
    assert changes(f"tests: [{HOME}]", f"tests: [{c}, {{name: a, http: {{}}, repeat: 2}}]") == [
        Difference(ChangeKind.CHANGED, f"{at}.tests[a].repeat", "1", "2"),
        Difference(
            ChangeKind.ADDED,
            f"{at}.tests[c]",
            after="{name: c, grpc: {service: }, repeat: 1, retries: 0, timeout: 10s}",
        ),
    ]
    assert changes("analysis: {compare: statistical}", "min_healthy: 50") == [
        Difference(ChangeKind.CHANGED, f"{at}.min_healthy", "100%", "50%"),
        Difference(
            ChangeKind.REMOVED,
            f"{at}.analysis",
            before="{window: 30s, interval: 500ms, min_requests: 50, failures: 3, errors: 3, "
            "on_fail: turn-back, on_error: pause, compare: {statistical: {false_alarms: 0.01, at_least: 1}}}",
        ),
    ]


def _shown(name: str) -> str:
    return (
        f"{{name: {name}, http: {{method: GET, path: /, expect: {{status: [200]}}}}, repeat: 1, retries: 0, "
        "timeout: 10s}"
    )


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("1", "true", ("1", "true")),
        ("[1]", "[true]", ("[1]", "[true]")),
        ("[1, {name: a}]", "[2, {name: a}]", ("[1, {name: a}]", "[2, {name: a}]")),
    ],
)
def test_expected_json_differs_as_json_does(old: str, new: str, shown: tuple[str, str]) -> None:
    test = "tests: [{name: a, http: {expect: {json: {/x: VALUE}}}}]"
    (only,) = changes(test.replace("VALUE", old), test.replace("VALUE", new))
    assert only.path == "services.shop.gates.tests[a].http.expect.json./x"
    assert (only.before, only.after) == shown


def test_expected_null_is_not_nothing() -> None:
    test = "tests: [{name: a, http: {expect: {json: {/x: 1, /y: null}}}}]"
    (only,) = changes(test.replace(", /y: null", ""), test)
    assert (only.kind, only.path, only.after) == (
        ChangeKind.ADDED,
        "services.shop.gates.tests[a].http.expect.json./y",
        "null",
    )


def test_another_secret_is_a_change_that_shows_neither() -> None:
    hook = "hooks: {after_shift: [{name: a, webhook: {url: 'https://HOST/hunter1', headers: {a: hunter1}}}]}"
    at = "services.shop.gates.hooks.after_shift[a].webhook"
    assert changes(hook, hook.replace("hunter1", "hunter2")) == [
        Difference(ChangeKind.CHANGED, f"{at}.url", "https://HOST/(secret)", "(another secret)"),
        Difference(ChangeKind.CHANGED, f"{at}.headers.a", "(secret)", "(another secret)"),
    ]
    assert changes(hook, hook.replace("HOST", "other")) == [
        Difference(ChangeKind.CHANGED, f"{at}.url", "https://HOST/(secret)", "https://other/(secret)")
    ]


def test_gates_may_change_under_an_open_rollout_and_that_is_recorded() -> None:
    old, new = (read_service_file(f"{HEAD}      tests: [{each}]\n") for each in (HOME, ""))
    rollout = Rollout(1, "shop", RolloutKind.PROMOTE, 2, 1, (Step(10), Step(100)), started_at=1000.0)
    shop = ServiceAggregate(old.services["shop"], TrafficRule("shop"), rollout=rollout)
    planned = plan(old.gateways, {"shop": shop}, new, prune=False)
    assert planned.change.services == (new.services["shop"],)
    (event,) = planned.events(1001.0, Origin("olga", "in a hurry"))
    assert (event.service, event.what, event.origin.actor) == ("shop", What.APPLIED, "olga")
    assert event.message.startswith("removed services.shop.gates.tests [{name: a, http: {method: GET,")


def test_a_long_text_is_shown_in_part_and_on_one_line() -> None:
    test = "tests: [{name: a, http: {body: 'BODY'}}]"
    (only,) = changes(test, test.replace("'BODY'", '"a\\nb' + "x" * 1000 + '"'))
    assert only.after.startswith('"a\\nbxxx')
    assert len(only.after) == 200
