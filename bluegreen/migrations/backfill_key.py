"""The column by which a backfill goes through a table."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import sql

from bluegreen.migrations.connection import Connection
from bluegreen.migrations.errors import Refused
from bluegreen.migrations.index_statement import unquoted
from bluegreen.migrations.migration_file import BackfillHeader, MigrationFile
from bluegreen.migrations.token import tokenize

COUNT_SECONDS = 2

_COLUMN = """
SELECT pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
       EXISTS (SELECT FROM pg_catalog.pg_index x
               WHERE x.indrelid = a.attrelid AND x.indisunique AND x.indisvalid AND x.indpred IS NULL
                 AND x.indnkeyatts = 1 AND x.indkey[0] = a.attnum)
FROM pg_catalog.pg_attribute a
WHERE a.attrelid = pg_catalog.to_regclass(%s) AND a.attname = %s AND a.attnum > 0 AND NOT a.attisdropped
"""


@dataclass(frozen=True, slots=True)
class BackfillKey:
    """`table`, `column` and `type` as SQL writes them: of a header that was checked, and by the server."""

    table: str
    column: str
    type: str

    def literal(self, key: str) -> str:
        """A key, which the server has written as text, as SQL."""
        return f"CAST({sql.Literal(key).as_string()} AS {self.type})"

    async def first(self, connection: Connection) -> str | None:
        """The lowest key; None: there is no row."""
        lowest = f"SELECT {self.column} AS key FROM {self.table} ORDER BY {self.column} LIMIT 1"  # noqa: S608
        query = f"SELECT lowest.key::text FROM ({lowest}) AS lowest"  # noqa: S608 - sorted before it is text
        row = await (await connection.execute(query.encode())).fetchone()
        return None if row is None else str(row[0])

    async def last_of(self, connection: Connection, after: str | None, rows: int) -> tuple[str, int] | None:
        """The last key of the next so many rows, and how many there are; None: none."""
        where = "" if after is None else f"WHERE {self.column} > {self.literal(after)}"
        batch = f"SELECT {self.column} AS key FROM {self.table} {where} ORDER BY {self.column} LIMIT {rows}"  # noqa: S608
        query = (
            f"SELECT key::text, count FROM (SELECT key, count(*) OVER () AS count FROM ({batch}) AS batch"  # noqa: S608
            " ORDER BY key DESC LIMIT 1) AS last"
        )
        row = await (await connection.execute(query.encode())).fetchone()
        return None if row is None else (str(row[0]), int(row[1]))

    async def rows(self, connection: Connection) -> int:
        """How many the table has: counted where that is soon done, else as the planner has it."""
        try:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL statement_timeout = '{COUNT_SECONDS}s'".encode())
                query = f"SELECT count(*) FROM {self.table}"  # noqa: S608
                row = await (await connection.execute(query.encode())).fetchone()
                return int(row[0]) if row else -1
        except psycopg.errors.QueryCanceled:
            return await self._estimate(connection)

    async def _estimate(self, connection: Connection) -> int:
        query = f"EXPLAIN (FORMAT JSON) SELECT {self.column} FROM {self.table}"  # noqa: S608
        row = await (await connection.execute(query.encode())).fetchone()
        return int(row[0][0]["Plan"]["Plan Rows"]) if row else -1


async def find_key(connection: Connection, file: MigrationFile, header: BackfillHeader) -> BackfillKey:
    """The key that the header names. Raises Refused where a batch would not find each row just once."""
    (token,) = tokenize(header.key)
    row = await (await connection.execute(_COLUMN, (header.table, unquoted(token)))).fetchone()
    name = file.path.name
    if row is None:
        raise Refused(f"{name}: there is no table {header.table} with a column {header.key}")
    type_name, not_null, unique = row
    if not unique:
        raise Refused(f"{name}: {header.table}.{header.key} has no unique index of its own: batches need one")
    if not not_null:
        raise Refused(f"{name}: {header.table}.{header.key} can be NULL: such rows would be in no batch")
    return BackfillKey(header.table, header.key, type_name)
