"""The schema of a database at one moment."""

from __future__ import annotations

from importlib import resources

from bluegreen.migrations.connection import Connection
from bluegreen.migrations.drift import Objects

_QUERY = resources.files("bluegreen.migrations").joinpath("schema_snapshot.sql").read_bytes()


async def take_snapshot(connection: Connection) -> Objects:
    """The schema as it is, looked at in a transaction: not in one with locks that others need, since of a
    large one it takes seconds. What else is done in the transaction has the search path `pg_catalog`."""
    async with connection.transaction():
        await connection.execute("SET LOCAL search_path = pg_catalog")
        found = await connection.execute(_QUERY)
        return {f"{kind} {name}": what async for kind, name, what in found}
