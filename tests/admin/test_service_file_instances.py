"""Instances in the service file: read, described, compared, stored; and each mistake at its place."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bluegreen.admin.service_file import BadServiceFile, Problem, read_service_file, schema
from bluegreen.admin.service_file.instance_fields import IN_COMMAND, IN_PATH
from bluegreen.admin.service_file.instances_entry import MOST_INSTANCES, MOST_PROCESSES, SHORTEST_INTERVAL
from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.catalogue import Catalogue, ChangeKind, Difference
from bluegreen.model.conflicts import conflicts
from bluegreen.model.deployment import Deployment, Status
from bluegreen.model.description import describe
from bluegreen.model.difference import difference
from bluegreen.model.environment import Environment
from bluegreen.model.errors import InvalidInput
from bluegreen.model.event import Origin
from bluegreen.model.pool import Pool
from bluegreen.model.provisioning import EndpointsFile, ProcessTemplate, ProvisionerCommand, Provisioning
from bluegreen.model.secret import Secret
from bluegreen.model.service import BY_PROVISIONER, Service
from bluegreen.model.traffic_rule import TrafficRule
from bluegreen.provisioners.file.endpoints_path import fill_path
from bluegreen.provisioners.polling import SHORTEST_INTERVAL as SHORTEST_LOOK
from bluegreen.provisioners.process.command_line import arguments
from bluegreen.provisioners.process.process_provisioner import MAXIMUM_INSTANCES as MAXIMUM_PROCESSES
from bluegreen.provisioners.process.record import InstanceRecord
from bluegreen.provisioners.sight import MAXIMUM_INSTANCES
from bluegreen.rollout.catalogue_change import plan
from bluegreen.rollout.pool_commands import MOST_INSTANCES as MOST_SCALED
from deployment_store import SqliteStore
from deployment_store.connection import connect
from deployment_store.migration import migrate, read_migrations
from deployment_store.records import SERVICE

EVERYTHING = Path(__file__).parent / "files" / "instances.yaml"
EXAMPLE = Path(__file__).parents[2] / "examples" / "services.yaml"
PAGE = Path(__file__).parents[2] / "docs" / "environments.md"

HEAD = """\
gateways:
  edge: {listen: 10000}
services:
  shop:
    gateways: [edge]
    domains: [shop.example.com]
"""

AT = "services.shop.instances"
FILE = "file: {path: '/x-{environment}'}"
LONG = "a" * 32_000
SHOP = "instances: {process: {command: [shop], environment: {TOKEN: hunter1}}}"


def problems(text: str) -> list[Problem]:
    with pytest.raises(BadServiceFile) as caught:
        read_service_file(text)
    return list(caught.value.problems)


def read(lines: str) -> Catalogue:
    return read_service_file(f"{HEAD}    {lines}\n")


def source(entry: str) -> Any:
    provisioning = read(f"instances: {{{entry}}}").services["shop"].provisioning
    assert provisioning is not None
    return provisioning.source


def changes(old: str, new: str) -> list[Difference]:
    return difference(read(old), read(new))


def test_every_kind_of_source_is_read() -> None:
    services = read_service_file(EVERYTHING.read_text()).services
    assert services["shop"].provisioning == Provisioning(
        ProcessTemplate(
            command=(
                *("/srv/shop/{version}/shop", "--port", "{port}"),
                *("--name", "{service}-{environment}-{revision}-{instance}"),
            ),
            environment={
                "DATABASE_URL": Secret("postgres://shop:hunter2@db/shop"),
                "FEATURES": Secret('{"a": {"b": 1}}'),
            },
            directory="/srv/shop",
            host="::1",
            ready_timeout=60.0,
            grace=0.0,
            backoff=0.1,
            longest_backoff=3600.0,
        ),
        instances=3,
        standby_capacity=50,
    )
    assert services["search"].provisioning == Provisioning(
        ProvisionerCommand(("./provision.py", "--cloud", "eu"), timeout=3600.0, interval=0.1),
        standby_capacity=100,
    )
    assert services["blog"].provisioning == Provisioning(
        EndpointsFile("/var/lib/{service}/{environment}-{version}-{revision}.yaml", interval=300.0), 10_000
    )
    assert services["plain"].provisioning is None


def test_what_is_left_out_has_the_default_of_the_model() -> None:
    assert read(f"instances: {{{FILE}}}").services["shop"].provisioning == Provisioning(
        EndpointsFile("/x-{environment}")
    )
    assert source("process: {command: [shop]}") == ProcessTemplate(("shop",))
    assert source("command: {command: [p]}") == ProvisionerCommand(("p",))


def test_no_secret_is_shown() -> None:
    catalogue = read_service_file(EVERYTHING.read_text())
    lines = difference(Catalogue(catalogue.gateways, {"shop": Service("shop", (), ())}), catalogue)
    for shown in (repr(catalogue), str(describe(catalogue)), *(line.after for line in lines)):
        assert "hunter2" not in shown
    assert "environment: {DATABASE_URL: (secret), FEATURES: (secret)}" in str(lines)


def test_what_is_described_reads_back_the_same() -> None:
    catalogue = read_service_file(EVERYTHING.read_text())
    shop = catalogue.services["shop"]
    assert shop.provisioning is not None
    assert isinstance(shop.provisioning.source, ProcessTemplate)
    known = replace(shop.provisioning, source=replace(shop.provisioning.source, environment={}))
    catalogue = Catalogue(
        catalogue.gateways, {**catalogue.services, "shop": replace(shop, provisioning=known)}
    )
    assert read_service_file(yaml.safe_dump(describe(catalogue))) == catalogue


def test_the_schema_takes_every_source_and_refuses_a_mistake(tmp_path: Path) -> None:
    schema_file, wrong = tmp_path / "schema.json", tmp_path / "wrong.yaml"
    schema_file.write_text(json.dumps(schema()))
    check = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(schema_file)]
    taken = subprocess.run(
        [*check, str(EVERYTHING), str(EXAMPLE)], capture_output=True, text=True, check=False
    )
    assert taken.returncode == 0, taken.stdout
    text = EVERYTHING.read_text().replace("      file: {", "      command: {command: [x]}\n      file: {")
    wrong.write_text(text.replace("FEATURES:", "A-B:"))
    refused = subprocess.run([*check, str(wrong)], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "blog.instances" in refused.stdout
    assert "shop.instances" in refused.stdout


def test_the_example_has_instances_of_its_own() -> None:
    services = read_service_file(EXAMPLE.read_text()).services
    found = {name: each.provisioning for name, each in services.items()}
    assert isinstance(found["shop"], Provisioning)
    assert isinstance(found["shop"].source, ProcessTemplate)
    assert isinstance(found["search"], Provisioning)
    assert isinstance(found["search"].source, ProvisionerCommand)


def test_the_page_about_environments_says_what_can_be_read() -> None:
    examples = re.findall(r"^```yaml\n    (instances:\n.*?)```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    found = [read(example).services["shop"].provisioning for example in examples]
    assert [each.source.type for each in found if each] == ["process", "command", "file"]


def test_what_may_be_filled_in_is_filled_in() -> None:
    """By those who start the processes and read the file: no brace is left."""
    words = " ".join(f"{{{word}}}" for word in IN_COMMAND)
    template = source(f"process: {{command: ['{words}']}}")
    record = InstanceRecord("7f3a0000", "shop", "green", 7, "v2", "127.0.0.1", 20000, 0.0)
    assert arguments(template, record) == ("20000 v2 7 green 7f3a0000 shop",)
    path = source("file: {path: '" + "-".join(f"{{{word}}}" for word in IN_PATH) + "'}").path
    assert fill_path(path, Pool("shop", "green", 7, "v2", EndpointsFile(path), 1)) == "shop-green-v2-7"


def test_the_bounds_are_those_of_the_provisioners() -> None:
    assert MOST_INSTANCES == MAXIMUM_INSTANCES == MOST_SCALED
    assert MOST_PROCESSES == MAXIMUM_PROCESSES
    assert SHORTEST_INTERVAL == SHORTEST_LOOK


@pytest.mark.parametrize(
    ("addition", "path", "words"),
    [
        ("{}", "", "give process, command or file"),
        ("{count: 3}", "", "give process, command or file"),
        ("3", "", "must be a mapping"),
        ("process", "", "must be a mapping"),
        (f"{{{FILE}, command: {{command: [x]}}}}", "", "give command or file, not both"),
        ("{process: {command: [x]}, command: {command: [x]}}", "", "give process or command, not both"),
        ("{process: [x]}", ".process", "must be a mapping"),
        ("{docker: {image: shop}}", ".docker", "known here: command, count, file, process, standby_capacity"),
        (f"{{{FILE}, counts: 3}}", ".counts", "did you mean count?"),
        (f"{{{FILE}, count: 0}}", ".count", "greater than or equal to 1"),
        (f"{{{FILE}, count: 10001}}", ".count", "less than or equal to 10000"),
        (f"{{{FILE}, count: 3.5}}", ".count", "whole number, not 3.5"),
        (f"{{{FILE}, count: '3'}}", ".count", "whole number"),
        ("{process: {command: [x]}, count: 1001}", ".count", "at most 1000, since each is a process"),
        (f"{{{FILE}, standby_capacity: 101%}}", ".standby_capacity", '"101%" is no whole percentage'),
        (f"{{{FILE}, standby_capacity: 12.5%}}", ".standby_capacity", "no whole percentage"),
        (f"{{{FILE}, standby_capacity: -1}}", ".standby_capacity", "no whole percentage"),
        (f"{{{FILE}, standby_capacity: half}}", ".standby_capacity", "no whole percentage"),
        (f"{{{FILE}, standby_capacity: true}}", ".standby_capacity", "no whole percentage"),
        ("{file: {}}", ".file.path", "is missing"),
        ("{file: {path: ''}}", ".file.path", "is no path"),
        ("{file: {path: 5}}", ".file.path", "is no path"),
        ('{file: {path: "/x{environment}\\0"}}', ".file.path", "printable"),
        (f"{{file: {{path: '{'x' * 4001}'}}}}", ".file.path", "1 to 4000 printable"),
        ("{file: {path: '/x/{environment}/'}}", ".file.path", "is a directory"),
        ("{file: {path: /x/shop.yaml}}", ".file.path", "must hold {environment} or {revision}"),
        ("{file: {path: '/x/{version}.yaml'}}", ".file.path", "must hold {environment} or {revision}"),
        ("{file: {path: '/x/{colour}'}}", ".file.path", "no {colour} to fill in; known: {service}, {env"),
        ("{file: {path: '/x/{environment}-{instance}'}}", ".file.path", "no {instance} to fill in"),
        ("{file: {path: '/{revision}', interval: 99ms}}", ".file.interval", "at least 100ms"),
        ("{file: {path: '/{revision}', interval: 301s}}", ".file.interval", "not be longer than 5m"),
        ("{command: {}}", ".command.command", "is missing"),
        ("{command: [./provision.py]}", ".command", "must be a mapping"),
        ("{command: {command: ./provision.py}}", ".command.command", "must be a list of a program"),
        ("{command: {command: []}}", ".command.command", "must be a list of a program"),
        ("{command: {command: [x], timeout: 0}}", ".command.timeout", "longer than 0"),
        ("{command: {command: [x], timeout: 61m}}", ".command.timeout", "not be longer than 1h"),
        ("{command: {command: [x], interval: 0.01}}", ".command.interval", "at least 100ms"),
        ("{command: {command: [x], interval: 6m}}", ".command.interval", "not be longer than 5m"),
        ("{command: {command: [x], environment: {}}}", ".command.environment", "no such key"),
    ],
)
def test_a_mistake_in_instances(addition: str, path: str, words: str) -> None:
    (found,) = problems(f"{HEAD}    instances: {addition}\n")
    assert (found.line, found.path) == (7, f"{AT}{path}")
    assert words in found.message


def test_instances_that_are_judged_by_their_provisioner() -> None:
    text = f"{HEAD}    instances: {{{FILE}}}\n    health_check: provisioner\n"
    catalogue = read_service_file(text)
    assert catalogue.services["shop"].health_check == BY_PROVISIONER
    described = describe(catalogue)
    assert described["services"]["shop"]["health_check"] == "provisioner"
    assert read_service_file(yaml.safe_dump(described)) == catalogue
    assert SERVICE.validate_json(SERVICE.dump_json(catalogue.services["shop"])) == catalogue.services["shop"]


@pytest.mark.parametrize(
    ("check", "path", "words"),
    [
        ("provisioner", "", "provisioner is for services with instances"),
        ("{type: provisioner}", ".type", "write health_check: provisioner, which has no settings"),
        ("provisoner", "", "must be a mapping"),
    ],
)
def test_a_mistake_in_who_judges(check: str, path: str, words: str) -> None:
    (found,) = problems(f"{HEAD}    health_check: {check}\n")
    assert (found.line, found.path) == (7, f"services.shop.health_check{path}")
    assert words in found.message


@pytest.mark.parametrize(
    ("addition", "path", "words"),
    [
        ("{}", "command", "is missing"),
        ("{command: [x], ready_path: readyz}", "ready_path", "begin with /"),
        ("{command: [x], ready_path: /a b}", "ready_path", "no blank"),
        ("{command: [x], ready_interval: 10ms}", "ready_interval", "at least 100ms"),
        ("{command: shop}", "command", "must be a list of a program"),
        ("{command: ['']}", "command", "[0] must be a program"),
        ("{command: [shop, 8080]}", "command", "[1] must be a text"),
        (
            "{command: [shop, --port, '{prot}']}",
            "command",
            "[2]: there is no {prot} to fill in; known: {port}",
        ),
        ("{command: [x], directory: ''}", "directory", "is no path"),
        ("{command: [x], directory: '/srv/{version}'}", "directory", "nothing is filled in here"),
        ("{command: [x], host: localhost}", "host", '"localhost" is no IP address'),
        ("{command: [x], host: 5}", "host", "no IP address"),
        ("{command: [x], host: '127.0.0.1:80'}", "host", "no IP address"),
        ("{command: [x], host: 'fe80::1%eth0'}", "host", "no IP address"),
        ("{command: [x], host: 0.0.0.0}", "host", "0.0.0.0 is nothing that a proxy could connect to"),
        ("{command: [x], host: '::'}", "host", "nothing that a proxy"),
        ("{command: [x], host: 224.0.0.1}", "host", "nothing that a proxy"),
        ("{command: [x], ready_timeout: 0}", "ready_timeout", "longer than 0"),
        ("{command: [x], ready_timeout: 2h}", "ready_timeout", "not be longer than 1h"),
        ("{command: [x], grace: -1}", "grace", "no duration"),
        ("{command: [x], grace: 25h}", "grace", "not be longer than 1d"),
        ("{command: [x], backoff: 0}", "backoff", "longer than 0"),
        ("{command: [x], backoff: 10ms}", "backoff", "at least 100ms"),
        ("{command: [x], longest_backoff: 2h}", "longest_backoff", "not be longer than 1h"),
        ("{command: [x], backof: 1s}", "backof", "did you mean backoff?"),
        ("{command: [x], environment: []}", "environment", "must be a mapping"),
        ("{command: [x], environment: {1X: a}}", "environment", "variable 1 is none"),
        (f"{{command: [x], environment: {{{'X' * 129}: a}}}}", "environment", "variable 1 is none"),
        ("{command: [x], environment: {PORT: '80'}}", "environment", "PORT cannot be set"),
        ("{command: [x], environment: {BLUEGREEN_X: a}}", "environment", "BLUEGREEN_X cannot be set"),
        ("{command: [x], environment: {A: 1}}", "environment.A", "in quotes"),
        ("{command: [x], environment: {A: null}}", "environment.A", "must be a text"),
        ('{command: [x], environment: {A: "a\\0"}}', "environment.A", "none of them zero"),
        (f"{{command: [x], environment: {{A: {'a' * 32_001}}}}}", "environment.A", "at most 32000"),
        ("{command: [x], environment: {A: (secret)}}", "environment.A", "write the value itself"),
        ("{command: [x], environment: {A: ':{port}'}}", "environment.A", "the process finds it as PORT"),
        (
            "{command: [x], environment: {A: '{version}'}}",
            "environment.A",
            "the process finds it as BLUEGREEN_VERSION",
        ),
        (
            f"{{command: [x], environment: {{{', '.join(f'A{n}: a' for n in range(201))}}}}}",
            "environment",
            "at most 200",
        ),
        (
            f"{{command: [x], environment: {{{', '.join(f'A{n}: {LONG}' for n in range(9))}}}}}",
            "environment",
            "more than 256 KiB",
        ),
    ],
)
def test_a_mistake_in_a_process(addition: str, path: str, words: str) -> None:
    (found,) = problems(f"{HEAD}    instances: {{process: {addition}}}\n")
    assert (found.line, found.path) == (7, f"{AT}.process.{path}")
    assert words in found.message


def test_a_backoff_that_is_longer_than_the_longest() -> None:
    (found,) = problems(f"{HEAD}    instances: {{process: {{command: [x], backoff: 1m}}}}\n")
    assert (found.path, found.message) == (
        f"{AT}.process",
        "backoff must not be longer than longest_backoff.",
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.7", "::1", "[2001:DB8::7]"])
def test_a_host_that_a_proxy_can_connect_to(host: str) -> None:
    expected = host.strip("[]").lower()
    assert source(f"process: {{command: [x], host: '{host}'}}").host == expected


def test_other_braces_are_the_users_own() -> None:
    """Those of JSON, of a shell's ${HOME}, of an empty pair."""
    words = ('{"a": {"b": 1}}', "${HOME}", "{}", "{a b}", "{ print }")
    assert source(f"process: {{command: {json.dumps(words)}}}").command == words


@pytest.mark.parametrize(
    "process",
    [
        "TOKEN=hunter2",
        "[TOKEN=hunter2]",
        "{command: [x], environment: TOKEN=hunter2}",
        "{command: [x], environment: [TOKEN=hunter2]}",
        "{command: [x], environment: {TOKEN=hunter2}}",
        "{command: [x], environment: {'TOKEN: hunter2': }}",
        "{command: [x], environment: {TOKEN: [hunter2]}}",
        "{command: [x], environment: {TOKEN: {hunter2: 1}}}",
        '{command: [x], environment: {TOKEN: "hunter2\\0"}}',
        "{command: [x], environment: {TOKEN: 'hunter2 {port}'}}",
        f"{{command: [x], environment: {{TOKEN: {'hunter2' * 5000}}}}}",
        "{command: [x], environment: {TOKEN: 2222222, 1: x}}",
    ],
)
def test_a_complaint_about_a_variable_does_not_show_it(process: str) -> None:
    found = problems(f"{HEAD}    instances: {{process: {process}}}\n")
    assert {each.path.removeprefix(f"{AT}.process").split(".TOKEN")[0] for each in found} <= {
        "",
        ".environment",
    }
    assert "hunter2" not in str(found)
    assert "2222222" not in str(found)


def test_instances_and_endpoints_are_two_ways_at_once() -> None:
    both = f"environments: {{blue: {{endpoints: ['a:1']}}}}\n    instances: {{{FILE}}}"
    (found,) = problems(f"{HEAD}    {both}\n")
    assert (found.line, found.path) == (8, AT)
    assert "two ways at once, since environments lists endpoints: keep instances or environments" in str(
        found
    )
    assert read(both.replace("{blue: {endpoints: ['a:1']}}", "{}"))
    (one_more,) = (each for each in problems(f"{HEAD}    keep_warm: x\n    {both}\n") if each.path == AT)
    assert one_more.line == 9, "another mistake does not hide it"


def test_a_catalogue_from_elsewhere_has_it_in_two_ways_at_once() -> None:
    blue, provided = read("environments: {blue: {endpoints: ['a:1']}}"), read(f"instances: {{{FILE}}}")
    shop = replace(blue.services["shop"], provisioning=provided.services["shop"].provisioning)
    catalogue = Catalogue(blue.gateways, {"shop": shop})
    assert [fault.path for fault in conflicts(catalogue)] == [AT]
    with pytest.raises(InvalidInput, match="two ways at once"):
        plan(blue.gateways, {}, catalogue, prune=False)


def test_mistakes_in_several_places_are_told_at_once() -> None:
    found = problems(
        f"{HEAD}    instances:\n"
        "      count: many\n"
        "      standby_capacity: 200%\n"
        "      process:\n"
        "        command: ['{prot}']\n"
        "        environment:\n"
        "          A: 5\n"
        "        host: here\n"
    )
    assert [(each.line, each.path.removeprefix(f"{AT}.")) for each in found] == [
        (8, "count"),
        (9, "standby_capacity"),
        (11, "process.command"),
        (13, "process.environment.A"),
        (14, "process.host"),
    ]


def test_a_change_of_instances_is_told_by_its_value() -> None:
    more = SHOP.replace("{process", "{count: 5, standby_capacity: 50%, process")
    assert changes(SHOP, more) == [
        Difference(ChangeKind.CHANGED, f"{AT}.count", "1", "5"),
        Difference(ChangeKind.CHANGED, f"{AT}.standby_capacity", "0%", "50%"),
    ]
    assert changes(SHOP, SHOP.replace("hunter1", "hunter2")) == [
        Difference(ChangeKind.CHANGED, f"{AT}.process.environment.TOKEN", "(secret)", "(another secret)")
    ]
    assert changes(SHOP, SHOP.replace("TOKEN: hunter1", "TOKEN: hunter1, MODE: fast")) == [
        Difference(ChangeKind.ADDED, f"{AT}.process.environment.MODE", after="(secret)")
    ]
    assert changes(SHOP, f"instances: {{{FILE}}}")[1:] == [
        Difference(ChangeKind.ADDED, f"{AT}.file", after="{path: /x-{environment}, interval: 1s}")
    ]
    (gone,) = changes(SHOP, "keep_warm: 30m")
    assert (gone.kind, gone.path) == (ChangeKind.REMOVED, AT)
    assert gone.before.startswith("{count: 1, standby_capacity: 0%, process: {command: [shop], environment: ")


def test_instances_may_change_and_go_while_a_deployment_runs_and_that_is_recorded() -> None:
    """It keeps what it was deployed with."""
    old, new = read(SHOP), read("keep_warm: 30m")
    provisioning = old.services["shop"].provisioning
    running = Deployment(
        *("shop", 1, "v1", Environment.BLUE, Status.ACTIVE, (), 1000.0, 1000.0),
        provisioning=provisioning,
        full_capacity=1,
        capacity=1,
    )
    shop = ServiceAggregate(old.services["shop"], TrafficRule("shop"), deployments=(running,))
    planned = plan(old.gateways, {"shop": shop}, new, prune=False)
    assert planned.change.services == (new.services["shop"],)
    (event,) = planned.events(1001.0, Origin("olga", "by hand from now on"))
    assert event.message.startswith(f"removed {AT} {{count: 1,")
    assert "hunter1" not in event.message


def test_every_kind_of_source_survives_the_store() -> None:
    for service in read_service_file(EVERYTHING.read_text()).services.values():
        assert SERVICE.validate_json(SERVICE.dump_json(service)) == service


def test_a_service_that_was_stored_before_there_were_instances_is_read() -> None:
    shop = Service("shop", ("edge",), ("shop.example.com",))
    stored = SERVICE.dump_python(shop, mode="json")
    del stored["provisioning"]
    assert SERVICE.validate_python(stored) == shop


async def test_a_deployment_that_was_stored_before_there_were_instances_is_read(tmp_path: Path) -> None:
    path = tmp_path / "bluegreen.db"
    async with connect(path) as db:
        await migrate(db, [step for step in read_migrations() if step.version < 3])
        spec = '{"name": "shop", "gateways": ["edge"], "domains": ["shop.example"]}'
        await db.execute("INSERT INTO services (name, spec, revision) VALUES ('shop', ?, 4)", (spec,))
        await db.execute("INSERT INTO traffic_rules VALUES ('shop', 'blue', 0)")
        await db.execute(
            "INSERT INTO deployments"
            " (service, revision, version, environment, status, endpoints, deployed_at, status_since)"
            """ VALUES ('shop', 1, 'v1', 'blue', 'active', '[{"host": "a", "port": 1}]', 1000, 1000)"""
        )
        await db.commit()
    async with SqliteStore.open(path) as store:
        shop = await store.load("shop")
    (deployment,) = shop.deployments
    assert (shop.service.provisioning, deployment.provisioning) == (None, None)
    assert (deployment.instances, deployment.leaving, deployment.gone) == ((), (), ())
    assert (deployment.has_instances, deployment.expected) == (False, 1)


async def test_the_instances_of_a_deployment_survive_the_store(tmp_path: Path) -> None:
    catalogue = read_service_file(EVERYTHING.read_text())
    provisioning = catalogue.services["shop"].provisioning
    planned = plan({}, {}, catalogue, prune=False)
    deployment = Deployment(
        *("shop", 1, "v1", Environment.BLUE, Status.DEPLOYING, (), 1000.0, 1000.0),
        provisioning=provisioning,
        full_capacity=3,
        capacity=3,
    )
    async with SqliteStore.open(tmp_path / "bluegreen.db") as store:
        await store.change_catalogue(planned.change, [])
        shop = await store.load("shop")
        await store.compare_and_set(shop.with_deployment(deployment), shop.revision, [])
    async with SqliteStore.open(tmp_path / "bluegreen.db") as store:
        assert (await store.load("shop")).deployments == (deployment,)
