"""Where nobody changes databases."""

from __future__ import annotations

from collections.abc import Callable

from bluegreen.model.migration import MigrationOrder, MigrationOutcome, MigrationPlan, MigrationProgress
from bluegreen.model.verdict import Verdict


class Unmigrated:
    """Implements `bluegreen.model.migration.Migrator`: knows no migration, and can run none."""

    async def plan(self, order: MigrationOrder) -> MigrationPlan:
        return MigrationPlan((), ())

    async def run(self, order: MigrationOrder, tell: Callable[[MigrationProgress], None]) -> MigrationOutcome:
        return MigrationOutcome(Verdict.ERROR, f"Nothing here changes the database of {order.service}")
