"""People behind the demo's application, and a load that knows what each must be called."""

from __future__ import annotations

import aiohttp
import psycopg
import pytest

from bluegreen.app.demo.people_table import MIGRATIONS, add_people, count_halves
from tests.support.fixtures import StartApplication, StartLoad

PEOPLE = 200


@pytest.fixture
def people(database_url: str) -> str:
    """The URL of a database with people, expanded, and not backfilled."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute((MIGRATIONS / "0001_people.expand.sql").read_bytes())
        add_people(database_url, PEOPLE)
        connection.execute((MIGRATIONS / "0002_split_name.expand.sql").read_bytes())
    return database_url


def change(url: str, statement: bytes) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


@pytest.mark.parametrize("halves", [False, True])
async def test_a_person_is_read_named_and_added(
    application: StartApplication, people: str, halves: bool
) -> None:
    process = await application("v1", database=people, halves=halves)
    more = {"first_name": "Anna", "last_name": "van der Berg"} if halves else {}
    named = {"name": "Anna van der Berg", **more}
    async with aiohttp.ClientSession(process.url) as session:
        for number in (7, 1000):
            async with session.post(f"/people/{number}", json={"name": named["name"]}) as answer:
                assert (await answer.json())["person"] == {"id": number, **named}
            async with session.get(f"/people/{number}") as answer:
                assert (await answer.json())["person"] == {"id": number, **named}
        async with session.get("/people/1001") as answer:
            assert (await answer.json())["person"] == {"id": 1001, "name": None}
        for body in (b"{", b"[]", b'{"name": ""}', b'{"name": 7}', b'{"name": "a\\u0000b"}'):
            async with session.post("/people/7", data=body) as answer:
                assert answer.status == 400


async def test_a_lost_connection_is_opened_again(application: StartApplication, people: str) -> None:
    process = await application("v1", database=people)
    async with aiohttp.ClientSession(process.url) as session:
        for _ in range(2):
            async with session.get("/people/8") as answer:
                assert (await answer.json())["person"]["name"] == "Anna-8.0 Berg-8.0"
            change(
                people,
                b"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                b"WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )


async def test_both_versions_at_once_are_right(
    application: StartApplication, load: StartLoad, people: str
) -> None:
    change(people, b"UPDATE people SET name = name")
    old, new = await application("v1", database=people), await application("v7", database=people, halves=True)
    running = await load(
        old.url, new.url, rate=300, duration=2, slow_share=0, protocols=("http1",), people=PEOPLE
    )
    whole = await running.finished()
    assert (whole.requests, whole.failed) == (600, 0), whole.examples
    halves = count_halves(people)
    assert halves.wrong == 0
    assert halves.rows > PEOPLE


@pytest.mark.parametrize(
    "mistake",
    [
        b"SELECT 1",  # the backfill is forgotten
        b"UPDATE people SET name = name; ALTER TABLE people DISABLE TRIGGER people_names",
    ],
)
async def test_what_is_not_backfilled_or_not_written_twice_is_a_failure(
    application: StartApplication, load: StartLoad, people: str, mistake: bytes
) -> None:
    change(people, mistake)
    old, new = await application("v1", database=people), await application("v7", database=people, halves=True)
    running = await load(
        old.url, new.url, rate=300, duration=2, slow_share=0, protocols=("http1",), people=PEOPLE
    )
    whole = await running.finished()
    assert whole.failures["wrong person"] > 5
