"""The people as the demo's application reads and writes them, by the schema that its version knows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from aiohttp import web
from psycopg.rows import TupleRow

CONNECTIONS: Final = 2
"""Of one process."""

LONGEST_NAME: Final = 1_000

Connection = psycopg.AsyncConnection[TupleRow]
Row = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Schema:
    """What a version takes a person to be. Each statement returns the columns, of which `join` makes the name
    and which `split` makes of it."""

    columns: tuple[str, ...]
    read: str
    update: str
    insert: str
    join: Callable[[Row], str | None]
    split: Callable[[str], Row]


def _halves(name: str) -> Row:
    first, space, last = name.partition(" ")
    return first, last if space else None


def _name(halves: Row) -> str | None:
    """None where the first half is missing: a row that nobody has split."""
    return None if halves[0] is None else " ".join(half for half in halves if half is not None)


WHOLE: Final = Schema(
    ("name",),
    read="SELECT name FROM people WHERE id = %s",
    update="UPDATE people SET name = %s WHERE id = %s RETURNING name",
    insert="INSERT INTO people (name, id) VALUES (%s, %s) "
    "ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING name",
    join=lambda row: row[0],
    split=lambda name: (name,),
)

HALVES: Final = Schema(
    ("first_name", "last_name"),
    read="SELECT first_name, last_name FROM people WHERE id = %s",
    update="UPDATE people SET first_name = %s, last_name = %s WHERE id = %s RETURNING first_name, last_name",
    insert="INSERT INTO people (first_name, last_name, id) VALUES (%s, %s, %s) ON CONFLICT (id) "
    "DO UPDATE SET first_name = excluded.first_name, last_name = excluded.last_name "
    "RETURNING first_name, last_name",
    join=_name,
    split=_halves,
)


class People:
    """A few connections, each opened when it is first needed, and anew when it is lost."""

    def __init__(self, url: str, schema: Schema) -> None:
        self._url, self._schema = url, schema
        self._connections: asyncio.LifoQueue[Connection | None] = asyncio.LifoQueue()
        for _ in range(CONNECTIONS):
            self._connections.put_nowait(None)

    async def answer(self, person: int, body: bytes) -> dict[str, Any]:
        """The person; with a body, called by its `name` from now on. The name is null where there is none.
        Raises HTTPBadRequest, and psycopg.Error where the database refuses twice."""
        name = _name_in(body) if body else None
        try:
            row = await self._ask(person, name)
        except psycopg.OperationalError:  # the connection was lost; asked twice, the same comes of it
            row = await self._ask(person, name)
        columns = dict(zip(self._schema.columns, row or (), strict=False))
        return {**columns, "id": person, "name": self._schema.join(row) if row else None}

    async def close(self) -> None:
        """Close the connections that are not in use."""
        while not self._connections.empty():
            if (connection := self._connections.get_nowait()) is not None:
                await connection.close()

    async def _ask(self, person: int, name: str | None) -> Row | None:
        schema = self._schema
        async with self._connection() as connection:
            if name is None:
                return await (await connection.execute(schema.read.encode(), (person,))).fetchone()
            written = (*schema.split(name), person)
            row = await (await connection.execute(schema.update.encode(), written)).fetchone()
            return row or await (await connection.execute(schema.insert.encode(), written)).fetchone()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        connection = await self._connections.get()
        try:
            if connection is None or connection.closed:
                connection = None
                connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
            yield connection
        except (psycopg.OperationalError, asyncio.CancelledError):
            if connection is not None:
                await connection.close()
            raise
        finally:
            self._connections.put_nowait(connection)


def _name_in(body: bytes) -> str:
    try:
        name = json.loads(body)["name"]
    except (ValueError, TypeError, KeyError):
        name = None
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or "\0" in name:
        raise web.HTTPBadRequest(text='the body is to be like {"name": "Anna Berg"}\n')
    return name
