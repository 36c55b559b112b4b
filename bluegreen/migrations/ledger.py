"""What a database knows of its own migrations: the schema `bluegreen` in it."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from importlib import resources

import psycopg
from psycopg.types.json import Jsonb

from bluegreen.migrations.connection import Connection
from bluegreen.migrations.drift import Objects
from bluegreen.migrations.errors import Refused, said
from bluegreen.migrations.ledger_entries import BegunBackfill, LedgerEntries
from bluegreen.migrations.migration_file import MigrationFile
from bluegreen.model.migration import AppliedMigration, MigrationName, Phase

_LAYOUT = resources.files("bluegreen.migrations").joinpath("ledger.sql").read_bytes()
_TABLES = frozenset({"migrations", "backfills", "attempts", "schema_snapshot"})
_as_it_is = partial(json.dumps, ensure_ascii=False)  # a database in SQL_ASCII takes no escapes for the rest


async def read_ledger(connection: Connection, service: str) -> LedgerEntries:
    """Nothing where there is no ledger. Raises Refused where a part of it is missing."""
    tables = await _tables(connection)
    if not tables:
        return LedgerEntries()
    if missing := sorted(_TABLES - tables):
        raise Refused(
            f"The ledger of this database is not whole: there is no table {' and no '.join(missing)} in its "
            "schema bluegreen. Bring it back from a backup: what is applied cannot be told without it"
        )
    found = await connection.execute(
        "SELECT number, name, phase, checksum, version, author, extract(epoch FROM applied_at)::float8,"
        " seconds FROM bluegreen.migrations WHERE service = %s ORDER BY applied_at, number",
        (service,),
    )
    applied = [
        AppliedMigration(MigrationName(number, name, Phase(phase)), *rest)
        async for number, name, phase, *rest in found
    ]
    found = await connection.execute(
        "SELECT number, name, checksum, last_key, rows_done, rows_total FROM bluegreen.backfills b"
        " WHERE service = %s AND NOT EXISTS (SELECT FROM bluegreen.migrations m WHERE m.service = b.service"
        " AND m.number = b.number AND m.phase = 'backfill') ORDER BY number",
        (service,),
    )
    begun = [
        BegunBackfill(MigrationName(number, name, Phase.BACKFILL), *rest)
        async for number, name, *rest in found
    ]
    cursor = await connection.execute("SELECT objects FROM bluegreen.schema_snapshot")
    row = await cursor.fetchone()
    return LedgerEntries(tuple(applied), tuple(begun), row[0] if row else None)


async def create_ledger(connection: Connection) -> None:
    """Make sure that there is one. Raises Refused where the role may not make it."""
    if await _tables(connection):
        return
    try:
        async with connection.transaction():
            if not await _has_schema(connection):
                await connection.execute("CREATE SCHEMA bluegreen")
            await connection.execute(_LAYOUT)
    except psycopg.errors.InsufficientPrivilege as error:
        role, database = connection.info.user, connection.info.dbname
        raise Refused(
            f"The role {role} may not make the ledger, the schema bluegreen, in the database {database}: "
            f"{said(error)}."
            f' Let it: GRANT CREATE ON DATABASE "{database}" TO "{role}"'
        ) from error


async def record(connection: Connection, service: str, applied: AppliedMigration) -> None:
    """Enter a migration, in the transaction that it was applied in. The schema as it was is not the one that
    is meant any more: `keep_schema` is called next, in a transaction without its locks."""
    migration = applied.migration
    key = (service, migration.number, migration.phase)
    await connection.execute(
        "INSERT INTO bluegreen.migrations (service, number, phase, name, checksum, version, author, seconds)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (*key, migration.name, applied.checksum, applied.version, applied.author, applied.seconds),
    )
    await connection.execute(
        "DELETE FROM bluegreen.attempts WHERE service = %s AND number = %s AND phase = %s", key
    )
    if migration.phase is not Phase.BACKFILL:
        await connection.execute("DELETE FROM bluegreen.schema_snapshot")


async def keep_schema(connection: Connection, schema: Objects) -> None:
    """The schema as it is meant to be from now on."""
    await connection.execute(
        "INSERT INTO bluegreen.schema_snapshot (objects) VALUES (%s) ON CONFLICT (only_one) DO UPDATE"
        " SET objects = excluded.objects, taken_at = clock_timestamp()",
        (Jsonb(schema, dumps=_as_it_is),),
    )


async def begin_attempt(connection: Connection, service: str, file: MigrationFile) -> bool:
    """Note that a statement without a transaction is begun; whether it was begun before, and not recorded."""
    cursor = await connection.execute(
        "INSERT INTO bluegreen.attempts (service, number, phase, checksum) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (service, number, phase) DO NOTHING",
        (service, file.migration.number, file.migration.phase, file.checksum),
    )
    return cursor.rowcount == 0


async def begin_backfill(connection: Connection, service: str, begun: BegunBackfill) -> None:
    await connection.execute(
        "INSERT INTO bluegreen.backfills (service, number, name, checksum, rows_total)"
        " VALUES (%s, %s, %s, %s, %s)",
        (service, begun.migration.number, begun.migration.name, begun.checksum, begun.rows_total),
    )


async def keep_backfill(connection: Connection, service: str, begun: BegunBackfill) -> None:
    """How far it is; in the transaction of the batch."""
    await connection.execute(
        "UPDATE bluegreen.backfills SET last_key = %s, rows_done = %s, changed_at = clock_timestamp()"
        " WHERE service = %s AND number = %s",
        (begun.last_key, begun.rows_done, service, begun.migration.number),
    )


async def finish_backfill(connection: Connection, service: str, applied: AppliedMigration) -> None:
    """Enter it. How long it took is told by the database's clock: several runs may have had a part in it."""
    async with connection.transaction():
        cursor = await connection.execute(
            "SELECT extract(epoch FROM clock_timestamp() - began_at)::float8 FROM bluegreen.backfills"
            " WHERE service = %s AND number = %s",
            (service, applied.migration.number),
        )
        row = await cursor.fetchone()
        await record(connection, service, replace(applied, seconds=row[0] if row else 0.0))


async def _has_schema(connection: Connection) -> bool:
    cursor = await connection.execute("SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'bluegreen'")
    return await cursor.fetchone() is not None


async def _tables(connection: Connection) -> frozenset[str]:
    """Those of the ledger that are there."""
    cursor = await connection.execute(
        "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = 'bluegreen' AND tablename = ANY(%s)",
        (list(_TABLES),),
    )
    return frozenset([row[0] async for row in cursor])
