"""The table of people as the demo itself sees it: filled, and proved right at the end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from bluegreen.app.demo.person import name_of

MIGRATIONS: Final = Path(__file__).parent / "migrations"
"""All that the demo's versions bring along; those in `unsafe` are what they must not bring."""

# What both halves have in common stands at the end of each: the person and the write of it (see `name_of`).
_WRONG: Final = b"""
WITH halves AS (
    SELECT id, last_name,
        substring(first_name FROM '[0-9]+\\.[0-9]+$') AS first_mark,
        substring(coalesce(last_name, first_name) FROM '[0-9]+\\.[0-9]+$') AS last_mark
    FROM people
)
SELECT count(*), count(*) FILTER (WHERE
    split_part(first_mark, '.', 1) IS DISTINCT FROM id::text
    OR first_mark IS DISTINCT FROM last_mark
    OR (last_name IS NULL) <> (id % 10 = 0)
) FROM halves
"""


@dataclass(frozen=True, slots=True)
class Halves:
    """Rows, and those of them in which first_name and last_name are not of the same name of that person."""

    rows: int
    wrong: int


def add_people(url: str, number: int) -> None:
    """Fill the table, from 1 to that number, as the old version would. Raises psycopg.Error."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        with cursor.copy("COPY people (id, name) FROM STDIN") as copy:
            for person in range(1, number + 1):
                copy.write_row((person, name_of(person)))
        cursor.execute("ANALYZE people")


def count_halves(url: str) -> Halves:
    """Look at every row. Raises psycopg.Error."""
    with psycopg.connect(url) as connection:
        row = connection.execute(_WRONG).fetchone()
    return Halves(*(row or (0, 0)))
