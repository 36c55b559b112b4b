"""What an index that is to be built finds in its place: nothing, the leftovers of a failure, or itself."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import sql

from bluegreen.migrations.connection import Connection
from bluegreen.migrations.drift import REINDEX_LEFTOVER
from bluegreen.migrations.errors import Refused
from bluegreen.migrations.index_statement import IndexBuild, IndexDrop

_FIND = """
SELECT n.nspname, i.relname, x.indisvalid, x.indrelid = pg_catalog.to_regclass(%(table)s),
       pg_catalog.pg_get_indexdef(x.indexrelid),
       (SELECT p.pid FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = x.indexrelid)
FROM pg_catalog.pg_class t
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
JOIN pg_catalog.pg_class i ON i.relnamespace = n.oid AND i.relname = %(name)s
JOIN pg_catalog.pg_index x ON x.indexrelid = i.oid
WHERE t.oid = pg_catalog.to_regclass(%(table)s)
"""
_REINDEX_LEFTOVERS = """
SELECT n.nspname, i.relname
FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = i.relnamespace
WHERE NOT x.indisvalid AND i.relname ~ %s AND n.nspname !~ '^pg_(catalog|temp|toast_temp)'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_locks l -- of a REINDEX that is under way
                  WHERE l.relation = x.indexrelid AND l.mode = 'ShareUpdateExclusiveLock'
                    AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d
                                      WHERE d.datname = pg_catalog.current_database()))
"""


@dataclass(frozen=True, slots=True)
class FoundIndex:
    """`builder` is the process that builds it at the moment."""

    schema: str
    name: str
    is_valid: bool
    is_of_table: bool
    definition: str
    builder: int | None


async def is_built(connection: Connection, build: IndexBuild) -> bool:
    """Whether the index is there already, as this statement would build it. Clears away an invalid one that a
    failure has left. Raises Refused when the name is another one's."""
    found = await _find(connection, build)
    if found is None:
        return False
    if not found.is_of_table:
        raise Refused(f"There is an index {found.name} already, of another table")
    if found.builder is not None:
        raise Refused(f"The index {found.name} is being built by process {found.builder}: wait for its end")
    if not found.is_valid:
        await drop(connection, found.schema, found.name)
        return False
    wanted = await _definition(connection, build)
    if _columns(found.definition) != _columns(wanted):
        raise Refused(f"There is an index {found.name} already, and it is another one: {found.definition}")
    return True


async def clear_up_build(connection: Connection, build: IndexBuild) -> None:
    """Drop what an attempt that has failed just now has left."""
    found = await _find(connection, build)
    if found and found.is_of_table and not found.is_valid:
        await drop(connection, found.schema, found.name)


async def is_there(connection: Connection, index: IndexDrop) -> bool:
    name = sql.Identifier(*filter(None, (index.schema, index.name))).as_string(connection)
    cursor = await connection.execute("SELECT pg_catalog.to_regclass(%s) IS NOT NULL", (name,))
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def clear_up_reindex(connection: Connection) -> None:
    """Drop what a REINDEX CONCURRENTLY of ours has left, also of a table's TOAST."""
    found = await connection.execute(_REINDEX_LEFTOVERS, (REINDEX_LEFTOVER,))
    for schema, name in await found.fetchall():
        await drop(connection, schema, name)


async def drop(connection: Connection, schema: str, name: str) -> None:
    statement = sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(schema, name))
    await connection.execute(statement)


async def _find(connection: Connection, build: IndexBuild) -> FoundIndex | None:
    cursor = await connection.execute(_FIND, {"table": build.table, "name": build.name})
    row = await cursor.fetchone()
    return FoundIndex(*row) if row else None


async def _definition(connection: Connection, build: IndexBuild) -> str:
    """As the server would write it: it is built on an empty copy of the table, and thrown away."""
    kind = "UNIQUE INDEX" if build.unique else "INDEX"
    name = sql.Identifier(build.name).as_string(connection)
    try:
        async with connection.transaction(force_rollback=True):
            await connection.execute(
                f"CREATE TEMPORARY TABLE bluegreen_copy (LIKE {build.table})".encode(),
            )
            await connection.execute(f"CREATE {kind} {name} ON pg_temp.bluegreen_copy {build.rest}".encode())
            cursor = await connection.execute(
                "SELECT pg_catalog.pg_get_indexdef(i.oid) FROM pg_catalog.pg_class i"
                " WHERE i.relname = %s AND i.relnamespace = pg_catalog.pg_my_temp_schema()",
                (build.name,),
            )
            row = await cursor.fetchone()
            return str(row[0]) if row else ""
    except psycopg.errors.InsufficientPrivilege as error:
        raise Refused(
            f"There is an index {build.name} already, and whether it is this one cannot be told without the "
            "right to make temporary tables: drop it, or grant TEMPORARY on the database"
        ) from error


def _columns(definition: str) -> tuple[bool, str]:
    """All but the names of the index and its table."""
    return definition.startswith("CREATE UNIQUE "), definition.partition(" USING ")[2]
