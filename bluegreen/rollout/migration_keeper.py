"""Has the migrations of one service run, and gives back what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.database import Database
from bluegreen.model.migration import MigrationOrder, MigrationProgress, Migrator
from bluegreen.rollout.draft import Decide
from bluegreen.rollout.migration_runs import conclude

WAITS_FOR_THE_ONE_BEFORE = "The run before, which was given up, takes back what it was at; this one waits"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is run: another run, or another description of the database, is begun anew."""

    run: int
    database: Database


class MigrationKeeper:
    """Runs the open run of an aggregate once it is begun: it is told the aggregate after each change. What
    was under way when the process was killed is run again: its run is still open.

    `record` gives what a run came to to the service's worker; `told` is called when there is progress.
    """

    def __init__(
        self, migrator: Migrator, record: Callable[[Decide], Awaitable[object]], told: Callable[[], None]
    ) -> None:
        self._migrator, self._record, self._told = migrator, record, told
        self._wanted: _Wanted | None = None
        self._progress: MigrationProgress | None = None
        self._task: asyncio.Task[None] | None = None

    def progress(self, aggregate: ServiceAggregate) -> MigrationProgress | None:
        """How far the open run of this aggregate is; None: none runs, or nothing is known yet."""
        run = aggregate.open_run
        return self._progress if run and self._wanted and self._wanted.run == run.id else None

    def follow(self, aggregate: ServiceAggregate, group: asyncio.TaskGroup) -> None:
        """Have exactly what is wanted run."""
        run, database = aggregate.open_run, aggregate.service.database
        wanted = None
        if run is not None and run.begun_at is not None and database is not None:
            wanted = _Wanted(run.id, database)
        if wanted == self._wanted:
            return
        before = self._task
        if before is not None and self._wanted is not None:
            before.cancel()  # once: what it does to end well is not cancelled
        self._wanted, self._progress = wanted, None
        if run is None or wanted is None:
            return
        order = MigrationOrder(
            service=aggregate.name,
            version=run.version,
            phase=run.phase,
            database=wanted.database,
            author=run.author,
            known=aggregate.ledger,
            accept_drift=run.accept_drift,
        )
        self._task = group.create_task(self._run(wanted, order, before))

    async def _run(self, wanted: _Wanted, order: MigrationOrder, before: asyncio.Task[None] | None) -> None:
        def tell(progress: MigrationProgress) -> None:
            if self._wanted is wanted:
                self._progress = progress
                self._told()

        if before is not None and not before.done():
            # It takes its statement back; until then it holds the database's lock. Who is given up meanwhile
            # has it waited for by the next one as well.
            tell(MigrationProgress(note=WAITS_FOR_THE_ONE_BEFORE))
            try:
                await asyncio.wait((before,))
            except asyncio.CancelledError:
                await asyncio.wait((before,))
                raise
        outcome = await self._migrator.run(order, tell)
        await self._record(partial(conclude, run=wanted.run, outcome=outcome))
