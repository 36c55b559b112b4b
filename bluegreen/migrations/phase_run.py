"""One phase of one version, run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg

from bluegreen.migrations.backfill import run_backfill
from bluegreen.migrations.concurrent_file import apply_alone
from bluegreen.migrations.connection import set_up
from bluegreen.migrations.drift import drift
from bluegreen.migrations.errors import Refused, Stopped
from bluegreen.migrations.index_statement import indexes_of
from bluegreen.migrations.ledger import create_ledger, keep_schema, read_ledger
from bluegreen.migrations.ledger_entries import LedgerEntries
from bluegreen.migrations.lint.directory import told_once
from bluegreen.migrations.migration_directory import MigrationDirectory
from bluegreen.migrations.migration_file import MigrationFile
from bluegreen.migrations.plan import Comparison, compare, of_phase
from bluegreen.migrations.problem import sentence
from bluegreen.migrations.schema_snapshot import take_snapshot
from bluegreen.migrations.session import Session
from bluegreen.migrations.transactional_file import apply_in_transaction
from bluegreen.model.migration import (
    AppliedMigration,
    LintFinding,
    MigrationName,
    MigrationOrder,
    MigrationProgress,
    Phase,
)
from bluegreen.model.verdict import MAXIMUM_OUTPUT, Finding, Verdict

SCHEMA = "the schema"
"""What is looked at before and after files, in messages."""

Lint = Callable[[Iterable[MigrationFile], str], Awaitable[tuple[LintFinding, ...]]]
"""What is wrong with files that are applied in one release, for a server of a version such as `18.1`."""


@dataclass(slots=True)
class PhaseRun:
    """What has come of it so far. `known` stands for the ledger until it was read into `entries`."""

    lint: Lint
    known: tuple[AppliedMigration, ...]
    files: tuple[MigrationFile, ...] = ()
    findings: list[Finding] = field(default_factory=list)
    entries: LedgerEntries | None = None

    @property
    def ledger(self) -> tuple[AppliedMigration, ...] | None:
        """All that the database has of the service; None: it could not be read."""
        return None if self.entries is None else self.entries.applied

    def left(self, phase: Phase) -> tuple[MigrationName, ...]:
        """The files of a phase that are still to come."""
        applied = {each.migration for each in (self.known if self.ledger is None else self.ledger)}
        return tuple(file.migration for file in of_phase(self.files, phase) if file.migration not in applied)

    async def take(self, directory: MigrationDirectory, phase: Phase) -> None:
        """Run these files. Raises Refused where some cannot be run at all, with all that is wrong as far as
        it is known without the database: also what the lint says of the others."""
        if not directory.unusable:
            self.files = directory.files
            return
        applied = {each.migration for each in self.known}
        pending = tuple(file for file in directory.files if file.migration not in applied)
        self.findings += [Finding("files", Verdict.FAIL, sentence(each)) for each in directory.unusable]
        unsafe = await self._unsafe(pending, phase)
        self.findings += [
            Finding("lint", Verdict.FAIL, sentence(each)) for each in told_once(unsafe, directory.unusable)
        ]
        raise Refused(self.findings[0].summary.rstrip(".") + and_more(len(self.findings)))

    async def run(self, session: Session) -> None:
        """Apply what is to be applied. Raises Stopped, with the reasons in `findings`, and psycopg.Error."""
        service = session.order.service
        entries = await read_ledger(session.work, service)
        try:
            await self._run(session, entries)
        except (Stopped, psycopg.Error):
            with suppress(psycopg.Error):  # the connection is lost: that is what is told already
                self.entries = await read_ledger(session.work, service)
            raise
        self.entries = await read_ledger(session.work, service)

    async def _run(self, session: Session, entries: LedgerEntries) -> None:
        phase = session.order.phase
        comparison = compare(self.files, entries, session.order)
        self._refuse("the ledger and the files", comparison.problems)
        self._refuse("the order of phases", comparison.waits(phase))
        mine = of_phase(comparison.pending, phase)
        version = session.work.info.server_version
        unsafe = await self._unsafe(comparison.pending, phase, f"{version // 10_000}.{version % 10_000}")
        self._refuse("lint", tuple(sentence(each) for each in unsafe))
        await self._refuse_drift(session, entries, comparison)
        for file in mine:
            await self._apply(session, file, entries)
            if phase is not Phase.BACKFILL:
                await self._keep_schema(session)

    def _refuse(self, what: str, reasons: tuple[str, ...], ways_out: str = "") -> None:
        if not reasons:
            return
        self.findings += [Finding(what, Verdict.FAIL, reason) for reason in reasons]
        raise Refused(reasons[0].rstrip(".") + and_more(len(reasons)) + ways_out)

    async def _unsafe(
        self, pending: tuple[MigrationFile, ...], phase: Phase, pg_version: str = ""
    ) -> list[LintFinding]:
        """Why the files of this phase are refused."""
        mine = {str(file.path) for file in of_phase(pending, phase)}
        found = await self.lint(pending, pg_version) if mine else ()
        return [each for each in found if each.refused and each.file in mine]

    async def _refuse_drift(self, session: Session, entries: LedgerEntries, comparison: Comparison) -> None:
        """On the first run, and where it is accepted, the schema as it is becomes the one that is meant."""
        before = entries.schema
        now = await session.persist(SCHEMA, lambda: take_snapshot(session.work))
        if before is not None and not session.order.accept_drift:
            differences = drift(before, now, indexes_of(comparison.pending))
            reasons = tuple(f"The schema was changed by other hands: {each}" for each in differences)
            self._refuse("drift", reasons, _ways_out(session.order))
        elif before != now:
            await create_ledger(session.work)
            await keep_schema(session.work, now)

    async def _keep_schema(self, session: Session) -> None:
        """The schema as the file has left it. Killed before this, the next run takes it as it is then."""

        async def attempt() -> None:
            await set_up(session.work, session.database)  # whatever the file has left
            await keep_schema(session.work, await take_snapshot(session.work))

        await session.persist(SCHEMA, attempt)

    async def _apply(self, session: Session, file: MigrationFile, entries: LedgerEntries) -> None:
        session.tell(MigrationProgress(file.path.name))
        session.notices.clear()
        began = session.clock.now()
        verdict, summary = Verdict.PASS, ""
        try:
            await session.be_sure_to_be_alone()
            summary = await _done(session, file, entries)
        except Stopped as stopped:
            verdict, summary = stopped.verdict, str(stopped)
            raise
        finally:
            if summary:  # not where it was cancelled
                output = "\n".join(session.notices)[-MAXIMUM_OUTPUT:]
                seconds = session.clock.now() - began
                self.findings.append(Finding(file.path.name, verdict, summary, output, seconds))


def and_more(reasons: int) -> str:
    """What follows the first of so many reasons."""
    return f" (and {reasons - 1} more)" if reasons > 1 else ""


def _ways_out(order: MigrationOrder) -> str:
    """Of a drift."""
    whose = f"{order.service} {order.version}" if order.phase is Phase.EXPAND else order.service
    accept = f"bluegreen migrations {order.phase} {whose} --accept-drift --reason TEXT"
    return f". Undo that, or take the schema as it is: {accept}"


async def _done(session: Session, file: MigrationFile, entries: LedgerEntries) -> str:
    """What was done."""
    if file.migration.phase is Phase.BACKFILL:
        begun = next((each for each in entries.begun if each.migration == file.migration), None)
        return f"went through {await run_backfill(session, file, begun):,} rows"
    apply = apply_alone if file.runs_alone else apply_in_transaction
    await apply(session, file)
    return "applied"
