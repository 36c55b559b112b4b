"""docs/migrations.md: its walk has every verb, shows the files as they are, and its rights are enough."""

from __future__ import annotations

import re
from pathlib import Path

import click
import psycopg
import pytest

from bluegreen.app.cli import main
from bluegreen.app.demo.people_table import MIGRATIONS
from bluegreen.app.demo.postgres import PostgresServer
from bluegreen.app.demo.releases import write_releases
from bluegreen.migrations.postgres_migrator import PostgresMigrator
from bluegreen.model.database import Database
from bluegreen.model.migration import MigrationOrder, Phase
from bluegreen.model.secret import Secret
from bluegreen.model.verdict import Verdict
from tests.support.postgres import administer

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/migrations.md").read_text()
WALK = PAGE.partition("<!-- walk -->")[2].partition("<!-- end of walk -->")[0]
RIGHTS = PAGE.partition("## Rights, connections, poolers")[2]

_VERB = re.compile(r"^\$ bluegreen migrations ([a-z]+)", re.MULTILINE)
_SHOWN = re.compile(r"^\$ cat releases/(\w+)/(\S+\.sql)\n((?:(?!\$ |```).*\n)*)", re.MULTILINE)
_GRANTS = re.compile(r"```postgresql\n(.*?)```", re.DOTALL)
ELSEWHERE = {"stop"}
"""What the walk has no use for."""

BEFORE_CONTRACT = b"INSERT INTO people (id, name) VALUES (%s, 'Cher')"
AFTER_CONTRACT = b"INSERT INTO people (id, first_name) VALUES (%s, 'Cher')"


def test_each_verb_is_walked_through() -> None:
    group = main.get_command(click.Context(main), "migrations")
    assert isinstance(group, click.Group)
    assert set(_VERB.findall(WALK)) == group.commands.keys() - ELSEWHERE


def test_the_files_that_are_shown_are_those_of_the_demo() -> None:
    shown = {(version, name): text for version, name, text in _SHOWN.findall(WALK)}
    assert len(shown) == 4
    for (version, name), text in shown.items():
        directory = MIGRATIONS / "unsafe" if version == "bad" else MIGRATIONS
        assert text == (directory / name).read_text(), (
            f"{name} has changed: run docs/walk/record_migrations.py"
        )


def test_the_service_file_that_is_shown_is_the_one_that_was_applied() -> None:
    assert f"$ cat services.yaml\n{(ROOT / 'docs/walk/with-database.yaml').read_text()}$ " in WALK


def test_nothing_of_the_machine_that_recorded_it_is_left() -> None:
    assert "Traceback" not in WALK
    assert not re.search(r"/(?:tmp|home|work|root)/", WALK)


@pytest.fixture
def shop(postgres: PostgresServer) -> None:
    """The roles of the page, in a database of the page's name."""
    administer(postgres, psycopg.sql.SQL("CREATE DATABASE shop"))
    (grants,) = _GRANTS.findall(RIGHTS)
    with psycopg.connect(postgres.url("shop")) as connection:
        connection.execute(grants.encode())


@pytest.mark.usefixtures("shop")
async def test_the_rights_are_enough_for_a_whole_release_and_no_more(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    owner, application = (
        postgres.url("shop").replace("postgres@", f"{role}@") for role in ("shop_owner", "shop_app")
    )
    database = Database(Secret(owner), write_releases(tmp_path))
    with psycopg.connect(application, autocommit=True) as client:
        async with PostgresMigrator.open() as migrator:
            for version, phase in (("v1", Phase.EXPAND), *(("v7", phase) for phase in Phase)):
                order = MigrationOrder("shop", version, phase, database, author="anna")
                outcome = await migrator.run(order, lambda _: None)
                assert outcome.verdict is Verdict.PASS, outcome
                insert = AFTER_CONTRACT if phase is Phase.CONTRACT else BEFORE_CONTRACT
                client.execute(insert, (len(outcome.ledger or ()),))
        assert client.execute("SELECT array_agg(DISTINCT first_name) FROM people").fetchone() == (["Cher"],)
        for statement in ("ALTER TABLE people ADD COLUMN x int", "SELECT * FROM bluegreen.migrations"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                client.execute(statement.encode())
