"""A file of expand or contract: one transaction, its entry in the ledger with it."""

from __future__ import annotations

from bluegreen.migrations.connection import set_up
from bluegreen.migrations.ledger import record
from bluegreen.migrations.migration_file import MigrationFile
from bluegreen.migrations.sending import send_file
from bluegreen.migrations.session import Session


async def apply_in_transaction(session: Session, file: MigrationFile) -> None:
    """Apply it, and enter it. Raises Stopped, with nothing done."""

    async def attempt() -> None:
        await set_up(session.work, session.database)  # whatever the last file has left
        began = session.clock.now()
        async with session.work.transaction():
            await send_file(session.work, file)
            # As ourselves again: the role that the file took on need not know the ledger.
            await session.work.execute("RESET SESSION AUTHORIZATION; RESET ROLE")
            entry = session.entry(file, session.clock.now() - began)
            await record(session.work, session.order.service, entry)

    await session.persist(file.path.name, attempt)
