"""The schema of a database at one moment."""

from __future__ import annotations

from importlib import resources

from bluegreen.migrations.connection import Connection
from bluegreen.migrations.drift import Objects

_QUERY = resources.files("bluegreen.migrations").joinpath("schema_snapshot.sql").read_bytes()
_SEARCH_PATH = "SELECT set_config('search_path', %s, true)"


async def take_snapshot(connection: Connection) -> Objects:
    """The schema as it is for the transaction that this is called in, whose search path stays as it was."""
    cursor = await connection.execute("SELECT current_setting('search_path')")
    row = await cursor.fetchone()
    await connection.execute(_SEARCH_PATH, ("pg_catalog",))
    found = await connection.execute(_QUERY)
    objects = {f"{kind} {name}": what async for kind, name, what in found}
    await connection.execute(_SEARCH_PATH, row)
    return objects
