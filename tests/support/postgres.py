"""A real PostgreSQL for the tests: one for each process that runs them, a new database for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import psycopg
import pytest
from psycopg import sql

from bluegreen.app.demo.postgres import PostgresServer, postgres_server

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server that is there until the last test is over."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def new_database(postgres: PostgresServer) -> Iterator[Callable[[], str]]:
    """`new_database()`: the URL of an empty database, which is dropped after the test with all who use it."""
    names: list[str] = []

    def create() -> str:
        names.append(f"test_{next(_numbers)}")
        administer(postgres, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(names[-1])))
        return postgres.url(names[-1])

    yield create
    for name in names:
        administer(postgres, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def database_url(new_database: Callable[[], str]) -> str:
    """The URL of an empty database of this test alone."""
    return new_database()


def administer(server: PostgresServer, statement: sql.Composed | sql.SQL) -> None:
    """Run a statement as the superuser, outside of any transaction."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(statement)
