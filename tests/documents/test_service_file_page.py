"""docs/service-file.md says what the service file can say, and its defaults are the real ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from bluegreen.admin.service_file import read_service_file, schema
from bluegreen.model.acceptance_test import CommandTest, GrpcTest, HttpTest
from bluegreen.model.analysis import Analysis, CommandSource, Comparing, PrometheusSource, WebhookSource
from bluegreen.model.database import Database
from bluegreen.model.hook import Moment
from bluegreen.model.provisioning import EndpointsFile, ProcessTemplate, ProvisionerCommand, Provisioning
from bluegreen.model.secret import Secret

LESS_COMMON = {"body", "statistical", "false_alarms", "at_least"}
LESS_COMMON |= {"before_shift", "after_shift", "after_retire", "on_failure"}
"""Keys of gates that the example does without."""

PAGE = (Path(__file__).parents[2] / "docs/service-file.md").read_text()
FILES = re.findall(r"```yaml\n(gateways:.*?)```", PAGE, re.DOTALL)
SMALLEST, WHOLE, WITH_INSTANCES, WITH_DATABASE, WITH_GATES = FILES


def test_every_key_is_explained() -> None:
    keys = set(_keys(schema()))

    assert {"listen", "ready_deadline", "panic_threshold"} <= keys
    rows = re.compile(r"^\| `(?:\w+(?:\[\])?\.)?(\w+)` \|", re.MULTILINE)
    headings = {"services", "blue", "green"}

    assert keys - set(rows.findall(PAGE)) == headings


def _keys(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from part.get("properties", {})
        for value in part.values():
            yield from _keys(value)
    elif isinstance(part, list):
        for value in part:
            yield from _keys(value)


def test_the_defaults_written_out_are_the_defaults() -> None:
    smallest, whole = map(read_service_file, (SMALLEST, WHOLE))

    assert whole == smallest


def test_nothing_is_left_out_of_the_file_with_the_defaults() -> None:
    """Not even what could be left out: each key of a section stands there."""
    left_out = {"blue", "green", "endpoints", "path", "forget_after"}
    left_out |= {"percent"}  # the long form of a step
    left_out |= {
        "affinity",
        "header",
        "cookie",
        "manual_routing",
        "value",
        "mirror",
        "methods",
    }  # off by default

    other_files = WITH_INSTANCES + WITH_DATABASE + WITH_GATES
    in_other_files = {key for key in _keys(schema()) if f"{key}:" in other_files} | LESS_COMMON
    missing = {key for key in _keys(schema()) if f"{key}:" not in WHOLE}

    assert missing - in_other_files == left_out - in_other_files


def test_the_file_with_gates_says_what_it_seems_to_say() -> None:
    catalogue = read_service_file(WITH_GATES)
    gates = catalogue.services["shop"].gates

    assert [type(test) for test in gates.tests] == [HttpTest, GrpcTest, CommandTest]
    assert gates.analysis is not None
    assert gates.analysis.comparing == Comparing()
    assert len(gates.analysis.conditions) == 2
    assert [type(each) for each in gates.analysis.sources] == [PrometheusSource, WebhookSource, CommandSource]
    assert [hook.moment for hook in gates.hooks] == [Moment.BEFORE_DEPLOY, Moment.AFTER_ROLLBACK]
    written = replace(gates.analysis, conditions=(), sources=(), comparing=None)
    assert written == Analysis()  # its values are the defaults


def test_the_file_with_instances_says_what_it_seems_to_say() -> None:
    services = read_service_file(WITH_INSTANCES).services

    environment = {"DATABASE_URL": Secret("postgres://shop:SECRET@db/shop")}
    command = ("/srv/shop/{version}/shop", "--port", "{port}")
    # The other values are the defaults.
    processes = ProcessTemplate(command, environment, "/srv/shop", ready_path="/readyz")
    assert services["shop"].provisioning == Provisioning(processes, instances=3, standby_capacity=50)
    assert services["search"].provisioning == Provisioning(ProvisionerCommand(("./provision.py",)), 2)
    assert services["blog"].provisioning == Provisioning(EndpointsFile("/var/lib/blog/{environment}.yaml"))


def test_the_file_with_a_database_says_what_it_seems_to_say() -> None:
    url = Secret("postgresql://shop_owner:SECRET@db.internal:5432/shop")
    written = Database(url, "/srv/{service}/{version}/migrations")  # the other values are the defaults
    assert read_service_file(WITH_DATABASE).services["shop"].database == written
