"""A database as a script: what the versions' directories hold, and what is applied."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bluegreen.model.migration import (
    AppliedMigration,
    MigrationName,
    MigrationOrder,
    MigrationOutcome,
    MigrationPlan,
    MigrationProgress,
    Phase,
    PlannedMigration,
)
from bluegreen.model.verdict import Verdict

SPLIT = {phase: MigrationName(2, "split_name", phase) for phase in Phase}


class ScriptedMigrator:
    """Every version brings the files of `SPLIT`, but for those that `directories` says otherwise of. A run
    passes unless `verdicts` says otherwise of its phase; `answers` is cleared to keep it waiting, `looks` to
    keep a plan waiting, `ends` to have a run take its time to give up. `ledger` is what the database has: it
    outlives the control plane."""

    def __init__(self, passing: Callable[[str], None] = lambda where: None) -> None:
        self.directories: dict[str, list[MigrationName]] = {"v1": []}
        self.verdicts: dict[Phase, Verdict] = {}
        self.problems: tuple[str, ...] = ()
        self.drift: tuple[str, ...] = ()
        self.ledger: list[AppliedMigration] = []
        self.orders: list[MigrationOrder] = []
        self.planned: list[MigrationOrder] = []
        self.progress = MigrationProgress()
        self.at_once = 0
        self.given_up = 0
        self.answers = asyncio.Event()
        self.answers.set()
        self.was_asked = asyncio.Event()
        self.was_planned = asyncio.Event()
        self.looks = asyncio.Event()
        self.looks.set()
        self.was_given_up = asyncio.Event()
        self.ends = asyncio.Event()
        self.ends.set()
        self.now: Callable[[], float] = lambda: 2000.0
        self._passing = passing

    async def plan(self, order: MigrationOrder) -> MigrationPlan:
        self.planned.append(order)
        self.was_planned.set()
        await self.looks.wait()
        pending = tuple(PlannedMigration(each, f"{each}.sql", ()) for each in self._left(order.version))
        return MigrationPlan(tuple(self.ledger), pending, self.problems, drift=self.drift)

    async def run(self, order: MigrationOrder, tell: Callable[[MigrationProgress], None]) -> MigrationOutcome:
        self.orders.append(order)
        self.at_once += 1
        assert self.at_once == 1, "two runs at once"
        tell(self.progress)
        self.was_asked.set()
        try:
            await self.answers.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            self.was_given_up.set()
            await self.ends.wait()
            raise
        finally:
            self.at_once -= 1
        self._passing(f"before {order.phase}")
        verdict = self.verdicts.get(order.phase, Verdict.PASS)
        files = [each for each in self._left(order.version) if each.phase is order.phase]
        if verdict is Verdict.PASS:
            for file in files:
                checksum = f"{file.number:064x}"
                self.ledger.append(
                    AppliedMigration(file, checksum, order.version, order.author, self.now(), 0.1)
                )
        self._passing(f"after {order.phase}")
        return MigrationOutcome(
            verdict,
            f"{len(files)} files" if verdict is Verdict.PASS else "syntax error at line 3",
            ledger=tuple(self.ledger),
            backfills_left=tuple(each for each in self._left(order.version) if each.phase is Phase.BACKFILL),
            contracts_left=tuple(each for each in self._left(order.version) if each.phase is Phase.CONTRACT),
        )

    def applied(self) -> list[str]:
        return [str(each.migration) for each in self.ledger]

    def _left(self, version: str) -> list[MigrationName]:
        applied = {each.migration for each in self.ledger}
        return [each for each in self.directories.get(version, [*SPLIT.values()]) if each not in applied]
