"""Connections to the database that is to be changed.

They have to lead to the server itself, or to a pooler that keeps a session for each of its clients: the lock
that keeps other runners away is the session's, and so are its timeouts. A pooler of transactions (PgBouncer's
`pool_mode = transaction`) gives the lock to somebody else after the first statement.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow

from bluegreen.migrations.errors import Refused, Unreachable, said
from bluegreen.migrations.silence import answer_within
from bluegreen.model.connection_string import database_at
from bluegreen.model.database import Database
from bluegreen.model.errors import InvalidInput
from bluegreen.model.migration import MigrationOrder
from bluegreen.model.secret import Secret

Connection: TypeAlias = psycopg.AsyncConnection[TupleRow]

CONNECT_SECONDS = 10
IDLE_SECONDS = 10.0
"""Between two statements of a transaction: a runner that hangs there would keep its locks for ever."""
OLDEST_SERVER = 140_000
"""PostgreSQL 14: the first that notices a client's end while it works, and tells how long who waits."""
LONGEST_NAME = 63
"""Bytes of an application's name that PostgreSQL keeps."""


@asynccontextmanager
async def connect(order: MigrationOrder, task: str) -> AsyncIterator[Connection]:
    """A session without a transaction, with the database's timeouts; its application name says for whom it
    is, and for which task. When it is closed, the server ends within a second whatever it was doing.

    Raises Unreachable, and Refused for a server that is too old.
    """
    database = order.database
    name = f"bluegreen {order.service} {order.version} {task}"
    setting = f"services.{order.service}.database.url of the service file"
    try:
        connection = await psycopg.AsyncConnection.connect(
            database.url.value,
            autocommit=True,
            prepare_threshold=None,  # nothing is run so often, and a file of statements cannot be prepared
            connect_timeout=CONNECT_SECONDS,
            application_name=name.encode()[:LONGEST_NAME].decode(errors="ignore"),
        )
    except psycopg.OperationalError as error:
        raise Unreachable(
            f"The database {place(database)} cannot be reached: {said(error).rstrip('.')}. "
            f"Where it is, and who enters how, stands in {setting}"
        ) from error
    except (psycopg.Error, UnicodeError, ValueError) as error:  # its words may be a part of the URL
        raise Unreachable(f"{setting} is no connection string of libpq") from error
    try:
        if connection.info.server_version < OLDEST_SERVER:
            raise Refused(
                f"PostgreSQL {connection.info.server_version // 10_000} is too old: 14 is the oldest"
            )
        async with answer_within(CONNECT_SECONDS):
            await set_up(connection, database)
        yield connection
    finally:
        await connection.close()


async def set_up(connection: Connection, database: Database) -> None:
    """Give the session its settings, whatever a file has made of them: those of its role, and these, as far
    as the server knows them."""
    await connection.execute("RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; DISCARD TEMP")
    settings = {
        "lock_timeout": milliseconds(database.lock_timeout),
        "statement_timeout": milliseconds(database.statement_timeout),
        "client_connection_check_interval": "1s",
        "idle_in_transaction_session_timeout": milliseconds(IDLE_SECONDS),
        "idle_session_timeout": "0",  # it is idle while it gives way to others
        "transaction_timeout": "0",  # statements have theirs
        "tcp_keepalives_idle": "30s",  # the lock of a machine that has vanished is free within a minute
        "tcp_keepalives_interval": "10s",
        "tcp_keepalives_count": "3",
        "default_transaction_isolation": "read committed",
        "row_security": "off",  # what the role may not see is an error, and not passed over in silence
        "standard_conforming_strings": "on",  # a string ends for the server where it ends for the lint
        "datestyle": "ISO",  # keys are kept as text
        "extra_float_digits": "1",  # of which they lose nothing
        "client_encoding": "UTF8",
    }
    await connection.execute(
        "SELECT pg_catalog.set_config(name, value, false) FROM"
        " ROWS FROM (pg_catalog.unnest(%s::text[]), pg_catalog.unnest(%s::text[]))"
        " AS settings (name, value) WHERE pg_catalog.current_setting(name, true) IS NOT NULL",
        (list(settings), list(settings.values())),
    )


async def process_of(connection: Connection) -> int:
    """The server's process at the other end, whatever a pooler in between says that it is."""
    row = await (await connection.execute("SELECT pg_catalog.pg_backend_pid()")).fetchone()
    return int(row[0]) if row else 0


def milliseconds(seconds: float) -> str:
    """As PostgreSQL takes a duration; never 0, which would be for ever."""
    return f"{max(1, round(seconds * 1000))}ms"


def place(database: Database) -> str:
    """Host and name of the database, without who may enter and how."""
    try:
        return database_at(database.url.value)
    except InvalidInput:
        return "of the service file"


def secrets_of(database: Database) -> tuple[Secret, ...]:
    """The URL and the passwords in it, as they are written and as they are meant."""
    url = database.url.value
    try:
        words = conninfo_to_dict(url)
    except psycopg.Error:
        return (Secret(url),)
    meant = [str(words[key]) for key in ("password", "sslpassword", "passfile") if words.get(key)]
    user_info = url.partition("://")[2].rpartition("@")[0]
    written = [user_info.partition(":")[2]] if ":" in user_info else []
    return tuple(Secret(text) for text in (url, *meant, *written))
