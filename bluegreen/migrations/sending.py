"""Sending the text of a file to the server, as it stands."""

from __future__ import annotations

import psycopg
from psycopg import generators
from psycopg.pq import ExecStatus

from bluegreen.migrations.connection import Connection
from bluegreen.migrations.errors import Refused, StatementFailed
from bluegreen.migrations.migration_file import MigrationFile
from bluegreen.migrations.statements import LineIndex

_COPIES = {ExecStatus.COPY_IN, ExecStatus.COPY_OUT, ExecStatus.COPY_BOTH}


async def send_file(connection: Connection, file: MigrationFile) -> None:
    """Have all of its statements run. Raises StatementFailed for the one that fails."""
    for number, error in await _send(connection, file.text, file.path.name):
        raise StatementFailed(error, _place(file, error, number))


async def send_batch(connection: Connection, file: MigrationFile, statement: str) -> None:
    """Have the one statement of a file run, with its values filled in; they move columns, but no lines."""
    for _, error in await _send(connection, statement, file.path.name):
        position = error.diag.statement_position
        lines_before = statement.count("\n", 0, int(position) - 1) if position else 0
        raise StatementFailed(error, f"{file.path.name}:{file.statements[0].line + lines_before}")


async def _send(connection: Connection, text: str, name: str) -> list[tuple[int, psycopg.Error]]:
    """The error, if there was one, with the number of statements before it.

    One level below `execute`, which would tell the error alone: many (a value that a new constraint does not
    allow, a lock that is not to be had) come without their place in the text.
    """
    pgconn = connection.pgconn
    async with connection.lock:
        pgconn.send_query(text.encode())
        results = await connection.wait(generators.execute(pgconn))
    for number, result in enumerate(results):
        if result.status in _COPIES:
            await connection.close()  # it would wait for data that nobody has
            raise Refused(f"{name}: COPY cannot take data from a file of migrations, nor give it")
        if result.status == ExecStatus.FATAL_ERROR:
            return [(number, psycopg.errors.error_from_result(result, encoding="utf-8"))]
    return []


def _place(file: MigrationFile, error: psycopg.Error, number: int) -> str:
    """FILE:LINE:COLUMN; the server counts characters, from 1. Without that: the statement's line."""
    position = error.diag.statement_position
    if position is not None:
        line, column = LineIndex(file.text).place(int(position) - 1)
        return f"{file.path.name}:{line}:{column}"
    statement = file.statements[min(number, len(file.statements) - 1)]
    return f"{file.path.name}:{statement.line}"
