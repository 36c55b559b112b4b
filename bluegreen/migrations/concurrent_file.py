"""A file with one statement that cannot run in a transaction, such as CREATE INDEX CONCURRENTLY.

Between its end and its entry in the ledger the process may be killed, and a failure in the midst of it may
leave something: so it is noted beforehand that it is begun, and what the next attempt finds is repaired, or
recognized as done.
"""

from __future__ import annotations

from contextlib import suppress

import psycopg

from bluegreen.migrations.connection import Connection, milliseconds, set_up
from bluegreen.migrations.errors import Refused, StatementFailed
from bluegreen.migrations.index_repair import clear_up_build, clear_up_reindex, is_built, is_there
from bluegreen.migrations.index_statement import (
    IndexBuild,
    IndexDrop,
    IndexStatement,
    Reindex,
    index_statement,
)
from bluegreen.migrations.ledger import begin_attempt, record
from bluegreen.migrations.migration_file import MigrationFile
from bluegreen.migrations.sending import send_file
from bluegreen.migrations.session import Session


async def apply_alone(session: Session, file: MigrationFile) -> None:
    """Apply it, and enter it. Raises Stopped; what it has left is repaired by the next attempt."""
    work = session.work
    service = session.order.service
    index = index_statement(file.statements[0])
    if isinstance(index, IndexBuild) and not index.name:
        raise Refused(f"{file.path.name}: give the index a name, by which it is found again after a failure")
    was_begun = False

    async def attempt() -> None:
        nonlocal was_begun
        await set_up(work, session.database)
        was_begun = await begin_attempt(work, service, file) or was_begun
        began = session.clock.now()
        await _be_patient(session, for_locks=index is not None)
        if not await _is_done(work, index, was_begun=was_begun):
            try:
                await send_file(work, file)
            except StatementFailed:
                with suppress(psycopg.Error):  # then the next attempt does
                    await set_up(work, session.database)
                    await _clear_up(work, index)
                raise
        seconds = session.clock.now() - began
        await set_up(work, session.database)
        async with work.transaction():
            await record(work, service, session.entry(file, seconds))

    # An index is built beside the reads and writes of others: neither its locks nor what it waits for are in
    # anybody's way, and it begins from nothing where it gives up.
    await session.persist(file.path.name, attempt, blocks_nobody=index is not None)


async def _be_patient(session: Session, *, for_locks: bool) -> None:
    """Such statements take as long as they take; with `for_locks` they also wait that long for the end of
    transactions that are older."""
    settings = "SELECT set_config('statement_timeout', '0', false)"
    if for_locks:
        settings += f", set_config('lock_timeout', '{milliseconds(session.database.patience)}', false)"
    await session.work.execute(settings.encode())


async def _clear_up(work: Connection, index: IndexStatement | None) -> None:
    """Every write has to keep up an index that is invalid, and a unique one may even refuse it."""
    if isinstance(index, IndexBuild):
        await clear_up_build(work, index)


async def _is_done(work: Connection, index: IndexStatement | None, *, was_begun: bool) -> bool:
    """Whether an earlier attempt got as far as that; clears up after one that did not."""
    match index:
        case IndexBuild():
            return await is_built(work, index)
        case IndexDrop():
            return was_begun and not await is_there(work, index)
        case Reindex() if was_begun:
            await clear_up_reindex(work)
    return False
