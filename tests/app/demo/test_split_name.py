"""The demo's change of the schema: what either version writes, the other one reads, at any time."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from bluegreen.app.demo.people_table import MIGRATIONS, add_people, count_halves

Row = tuple[str | None, ...]


def apply(connection: psycopg.Connection, migration: str) -> None:
    connection.execute((MIGRATIONS / f"{migration}.sql").read_bytes())


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        apply(connection, "0001_people.expand")
        yield connection


@pytest.fixture
def expanded(connection: psycopg.Connection) -> psycopg.Connection:
    """With a person, 7, of the time before."""
    connection.execute("INSERT INTO people (id, name) VALUES (7, 'Ada Lovelace')")
    apply(connection, "0002_split_name.expand")
    return connection


def person(connection: psycopg.Connection, number: int) -> Row:
    row = connection.execute(
        "SELECT name, first_name, last_name FROM people WHERE id = %s", (number,)
    ).fetchone()
    assert row is not None
    return row


NAMES = [
    ("Ada Lovelace", "Ada", "Lovelace"),
    ("Cher", "Cher", None),
    ("Anna van der Berg", "Anna", "van der Berg"),
    ("Cher ", "Cher", ""),
    (" Berg", "", "Berg"),
    ("", "", None),
    ("Ada\nLovelace of\nOckham", "Ada\nLovelace", "of\nOckham"),
]


@pytest.mark.parametrize(("name", "first", "last"), NAMES)
def test_the_new_version_reads_what_the_old_one_writes(
    expanded: psycopg.Connection, name: str, first: str, last: str | None
) -> None:
    expanded.execute("INSERT INTO people (id, name) VALUES (1, %s)", (name,))
    expanded.execute("UPDATE people SET name = %s WHERE id = 7", (name,))
    assert person(expanded, 1) == person(expanded, 7) == (name, first, last)


@pytest.mark.parametrize(("name", "first", "last"), [*NAMES, ("Anna Maria Berg", "Anna Maria", "Berg")])
def test_the_old_version_reads_what_the_new_one_writes(
    expanded: psycopg.Connection, name: str, first: str, last: str | None
) -> None:
    expanded.execute("INSERT INTO people (id, first_name, last_name) VALUES (1, %s, %s)", (first, last))
    expanded.execute("UPDATE people SET first_name = %s, last_name = %s WHERE id = 7", (first, last))
    assert person(expanded, 1) == person(expanded, 7) == (name, first, last)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO people (id, name) VALUES (%s, 'Cher') ON CONFLICT (id) "
        "DO UPDATE SET name = excluded.name",
        "INSERT INTO people (id, first_name) VALUES (%s, 'Cher') ON CONFLICT (id) "
        "DO UPDATE SET first_name = excluded.first_name, last_name = excluded.last_name",
    ],
)
def test_either_may_insert_what_may_be_there(expanded: psycopg.Connection, statement: str) -> None:
    for _ in range(2):
        for number in (1, 7):
            expanded.execute(statement.encode(), (number,))
    assert person(expanded, 1) == person(expanded, 7) == ("Cher", "Cher", None)


def test_halves_that_the_new_version_chose_stay_until_the_name_is_another(
    expanded: psycopg.Connection,
) -> None:
    expanded.execute("UPDATE people SET first_name = 'Anna Maria', last_name = 'Berg' WHERE id = 7")
    expanded.execute("UPDATE people SET name = 'Anna Maria Berg' WHERE id = 7")
    assert person(expanded, 7) == ("Anna Maria Berg", "Anna Maria", "Berg")
    expanded.execute("UPDATE people SET last_name = 'Meyer' WHERE id = 7")
    assert person(expanded, 7) == ("Anna Maria Meyer", "Anna Maria", "Meyer")
    expanded.execute("UPDATE people SET name = 'Ada Lovelace' WHERE id = 7")
    assert person(expanded, 7) == ("Ada Lovelace", "Ada", "Lovelace")


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO people (id) VALUES (1)",
        "INSERT INTO people (id, last_name) VALUES (1, 'Berg')",
        "UPDATE people SET name = NULL WHERE id = 7",
        "UPDATE people SET first_name = NULL, last_name = 'Berg' WHERE id = 7",
    ],
)
def test_a_name_that_is_none_is_refused_as_before(expanded: psycopg.Connection, statement: str) -> None:
    expanded.execute("UPDATE people SET name = name WHERE id = 7")
    with pytest.raises(psycopg.errors.NotNullViolation):
        expanded.execute(statement.encode())


def test_the_backfill_splits_the_rest_and_then_the_contract_leaves_both_halves(
    connection: psycopg.Connection, database_url: str
) -> None:
    add_people(database_url, 100)
    apply(connection, "0002_split_name.expand")
    assert count_halves(database_url).wrong
    connection.execute(
        "UPDATE people SET first_name = 'Anna Maria-50.1', last_name = 'Berg-50.1' WHERE id = 50"
    )
    text = (MIGRATIONS / "0002_split_name.backfill.sql").read_text()
    for after in range(0, 100, 30):
        connection.execute(text.replace(":after", str(after)).replace(":upto", str(after + 30)).encode())
    assert person(connection, 50) == ("Anna Maria-50.1 Berg-50.1", "Anna Maria-50.1", "Berg-50.1")
    assert person(connection, 71) == ("Anna-71.0 van der Berg-71.0", "Anna-71.0", "van der Berg-71.0")
    connection.execute("UPDATE people SET name = 'Cher-50.2' WHERE id = 50")
    assert count_halves(database_url).wrong == 0

    apply(connection, "0002_split_name.contract")
    assert count_halves(database_url).wrong == 0
    with pytest.raises(psycopg.errors.UndefinedColumn):
        connection.execute("SELECT name FROM people")
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute("INSERT INTO people (id, last_name) VALUES (1000, 'Berg')")


@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE people SET last_name = 'Berg-7.1' WHERE id = 7",  # of another write
        "UPDATE people SET first_name = 'Anna-8.0', last_name = 'Berg-8.0' WHERE id = 7",  # of another person
        "UPDATE people SET last_name = NULL WHERE id = 7",
    ],
)
def test_the_proof_finds_a_wrong_half(connection: psycopg.Connection, database_url: str, wrong: str) -> None:
    add_people(database_url, 20)
    apply(connection, "0002_split_name.expand")
    connection.execute("UPDATE people SET name = name")
    assert count_halves(database_url).wrong == 0
    connection.execute(wrong.encode())
    assert count_halves(database_url).wrong
