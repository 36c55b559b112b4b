"""The demo's service file is a good one, and the command in it tells right from wrong."""

from __future__ import annotations

import os
import sys

import psycopg
import pytest

from bluegreen.admin.service_file.reading import read_service_file
from bluegreen.app.demo.faults import Faults
from bluegreen.app.demo.people_table import MIGRATIONS
from bluegreen.app.demo.processes import ChildProcesses, Command
from bluegreen.app.demo.service_file import Places, service_file
from bluegreen.model.acceptance_test import CommandTest, HttpTest
from bluegreen.model.provisioning import ProcessTemplate, Provisioning
from bluegreen.model.secret import Secret
from tests.support.fixtures import StartApplication


def test_the_service_file_is_accepted_with_all_its_gates() -> None:
    production, preview = {"edge": 10_000, "sidecar": 10_002}, {"edge": 10_001, "sidecar": 10_003}
    url, migrations = "postgresql://postgres@/postgres?host=/run/x", "/releases/{version}/migrations"
    text = service_file("shop", Places(production, preview, url, migrations, demo=4711))
    catalogue = read_service_file(text)
    assert {name: gateway.preview.port for name, gateway in catalogue.gateways.items()} == {
        "edge": 10_001,
        "sidecar": 10_003,
    }
    command = (sys.executable, "-m", "bluegreen.app.demo.shop")
    template = ProcessTemplate(
        (*command, "--version={version}", "--port={port}", "--demo=4711"), {"DATABASE_URL": Secret(url)}
    )
    assert catalogue.services["shop"].provisioning == Provisioning(template, instances=2)
    database = catalogue.services["shop"].database
    assert database is not None
    assert (database.url, database.migrations) == (Secret(url), migrations)
    gates = catalogue.services["shop"].gates
    smoke, order, person = gates.tests
    assert isinstance(smoke, HttpTest)
    assert isinstance(order, CommandTest)
    assert order.command == (sys.executable, "-m", "bluegreen.app.demo.order_check")
    assert isinstance(person, CommandTest)
    assert person.command == (sys.executable, "-m", "bluegreen.app.demo.person_check")
    assert gates.analysis is not None
    assert [condition.text for condition in gates.analysis.conditions] == [
        "success_rate >= 99",
        "p50 <= 3 x active",
    ]


@pytest.mark.parametrize(
    ("version", "faults", "status"),
    [
        ("v1", Faults(), 0),
        ("v2", Faults(), 1),  # another version answers than the one that is tested
        ("v1", Faults(fail_every=1), 1),
    ],
)
async def test_the_order_check(
    application: StartApplication, children: ChildProcesses, version: str, faults: Faults, status: int
) -> None:
    process = await application("v1", faults=faults)
    told = {"BLUEGREEN_PREVIEW_URL": process.url, "BLUEGREEN_VERSION": version}
    arguments = (sys.executable, "-m", "bluegreen.app.demo.order_check")
    child = await children.start(Command("order", arguments, {**os.environ, **told}))
    assert await child.exited() == status, child.last_lines()


@pytest.mark.parametrize(("halves", "status"), [(False, 0), (True, 1)])
async def test_the_person_check(
    application: StartApplication, children: ChildProcesses, database_url: str, halves: bool, status: int
) -> None:
    """A version for which the schema is not there yet does not pass."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute((MIGRATIONS / "0001_people.expand.sql").read_bytes())
    process = await application("v1", database=database_url, halves=halves)
    told = {"BLUEGREEN_URL": process.url, "BLUEGREEN_VERSION": "v1"}
    arguments = (sys.executable, "-m", "bluegreen.app.demo.person_check")
    child = await children.start(Command("person", arguments, {**os.environ, **told}))
    assert await child.exited() == status, child.last_lines()
