"""A service with a database, that goes through commands and decisions."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from bluegreen.model.acceptance_test import HttpTest
from bluegreen.model.database import Database
from bluegreen.model.errors import Refused
from bluegreen.model.event import Origin
from bluegreen.model.gates import Gates
from bluegreen.model.migration import (
    AppliedMigration,
    MigrationOutcome,
    MigrationProgress,
    Phase,
)
from bluegreen.model.migration_run import MigrationRun
from bluegreen.model.secret import Secret
from bluegreen.model.service import Drain
from bluegreen.model.strategy import Strategy
from bluegreen.model.verdict import Finding, Verdict
from bluegreen.rollout import gate_commands, migration_commands
from bluegreen.rollout.draft import Decide, Draft
from bluegreen.rollout.migration_runs import conclude
from bluegreen.rollout.migrations import pending_after
from bluegreen.rollout.operations import MigrateCommand
from tests.rollout.facts import ATOMIC, Story
from tests.rollout.scripted_migrator import SPLIT

TESTED = Gates(tests=(HttpTest("home"),))
DATABASE = Database(Secret("postgresql://db/shop"), "/srv/{version}")
AT = 1500.0


class Release(Story):
    """A service with a database. Every version but v1 brings a change of the schema in all three phases."""

    def __init__(self, gates: Gates | None = None, strategy: Strategy = ATOMIC, **more: object) -> None:
        super().__init__(strategy, gates)
        service = replace(self.aggregate.service, database=DATABASE, drain=Drain(grace=0.0), **more)  # type: ignore[arg-type]
        self.aggregate = replace(self.aggregate, service=service)
        self.progress: MigrationProgress | None = None

    @property
    def run(self) -> MigrationRun:
        assert self.aggregate.open_run is not None
        return self.aggregate.open_run

    def refused(self, decide_on: Decide) -> Refused:
        with pytest.raises(Refused) as refused:
            self.command(decide_on)
        return refused.value

    def command(self, decide_on: Decide) -> str:
        draft = Draft(self.aggregate, self.now, Origin("anna"), self.report, self.progress)
        sentence = decide_on(draft)
        self.aggregate = draft.change(sentence).aggregate
        return sentence

    def migrate(self, phase: Phase, version: str = "", **more: Any) -> str:
        command = MigrateCommand("shop", phase, version, **more)
        return self.command(partial(migration_commands.migrate, command=command))

    def cannot_migrate(self, phase: Phase, version: str = "", **more: Any) -> str:
        command = MigrateCommand("shop", phase, version, **more)
        return str(self.refused(partial(migration_commands.migrate, command=command)))

    def ran(self, verdict: Verdict = Verdict.PASS, summary: str = "1 file is applied") -> str:
        """The open run comes to its end: where it passes, its file is applied."""
        run, ledger = self.run, self.aggregate.ledger
        if verdict is Verdict.PASS and run.version != "v1":
            ledger = (*ledger, AppliedMigration(SPLIT[run.phase], "5f", run.version, "anna", self.now, 0.1))
        applied = {each.migration for each in ledger}
        left = [each for each in SPLIT.values() if each not in applied and run.version != "v1"]
        outcome = MigrationOutcome(
            verdict,
            summary,
            ledger=ledger,
            backfills_left=tuple(each for each in left if each.phase is Phase.BACKFILL),
            contracts_left=tuple(each for each in left if each.phase is Phase.CONTRACT),
        )
        return self.command(partial(conclude, run=run.id, outcome=outcome))

    def answer(self, verdict: Verdict = Verdict.PASS) -> None:
        check = next(each for each in self.aggregate.checks if each.is_open)
        findings = (Finding("home", verdict, "500, wanted 200"),)
        self.command(partial(gate_commands.conclude, check=check.id, findings=findings, verdict=verdict))

    def expand(self, version: str) -> None:
        """Deploy it, with its expand well done."""
        self.deploy(version)
        self.decide(self.all_agree())
        self.ran()

    def release(self, version: str) -> None:
        self.expand(version)
        self.decide(self.all_agree())
        if pending_after(self.aggregate, version).backfills:
            self.migrate(Phase.BACKFILL)
            self.ran()
        self.promote()
        self.decide(self.all_agree())

    def settle(self) -> None:
        """The old version is over, and released."""
        for _ in range(3):
            self.now += 4000.0
            self.decide(self.all_agree())


def released(gates: Gates | None = None) -> Release:
    """v2 is active, and v1 was drained and is standby."""
    story = Release(gates)
    story.release("v1")
    story.release("v2")
    story.now += 100.0
    story.decide(story.all_agree())
    assert (story.status(1), story.status(2)) == ("standby", "active")
    return story
