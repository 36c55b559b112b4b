"""The migrator: reads the directories of versions, and changes PostgreSQL databases."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from textwrap import shorten

import psycopg

from bluegreen.migrations.connection import connect, secrets_of
from bluegreen.migrations.drift import drift
from bluegreen.migrations.errors import Stopped, ends_connection, said
from bluegreen.migrations.index_statement import indexes_of
from bluegreen.migrations.ledger import read_ledger
from bluegreen.migrations.lint.linter import Linter
from bluegreen.migrations.lint.squawk import Squawk
from bluegreen.migrations.migration_directory import MigrationDirectory, look_into
from bluegreen.migrations.migration_file import MigrationFile
from bluegreen.migrations.patience import Clock
from bluegreen.migrations.phase_run import Lint, PhaseRun
from bluegreen.migrations.plan import compare
from bluegreen.migrations.problem import sentence
from bluegreen.migrations.schema_snapshot import take_snapshot
from bluegreen.migrations.session import Session
from bluegreen.migrations.silence import LONGEST_SILENCE, answer_within
from bluegreen.migrations.version_directory import version_directory
from bluegreen.model.errors import BluegreenError, InvalidInput
from bluegreen.model.migration import (
    MigrationOrder,
    MigrationOutcome,
    MigrationPlan,
    MigrationProgress,
    Phase,
    PlannedMigration,
)
from bluegreen.model.verdict import MAXIMUM_OUTPUT, Finding, Verdict
from bluegreen.subprocesses.command import CommandRunner
from bluegreen.subprocesses.printable import printable
from bluegreen.subprocesses.redaction import Redaction

log = logging.getLogger(__name__)

LINTS_AT_ONCE = 2

SHOWN = 120
"""Characters of a statement in a plan."""


class PostgresMigrator:
    """Implements `bluegreen.model.migration.Migrator`."""

    def __init__(self, lint: Lint) -> None:
        self._lint = lint

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator[PostgresMigrator]:
        """A migrator for as long as the context is open: leave it when no call is under way any more."""
        yield cls(Linter(Squawk(CommandRunner(LINTS_AT_ONCE))).lint)

    async def plan(self, order: MigrationOrder) -> MigrationPlan:
        clean = _Clean(order)
        try:
            return await self._plan(order)
        except Exception as error:  # noqa: BLE001 - the port promises a plan, whatever happens
            return MigrationPlan((), (), problems=(clean(_reason(error)[1]),))

    async def run(self, order: MigrationOrder, tell: Callable[[MigrationProgress], None]) -> MigrationOutcome:
        clock = Clock.of_loop()
        began = clock.now()
        run = PhaseRun(self._lint, order.known)
        clean = _Clean(order)

        def tell_cleanly(progress: MigrationProgress) -> None:
            tell(replace(progress, note=clean(progress.note)))

        try:
            await run.take(await asyncio.to_thread(_look_into, order), order.phase)
            async with Session.open(order, clock, tell_cleanly) as session:
                await run.run(session)
        except Exception as error:  # noqa: BLE001 - the port promises an outcome, whatever happens
            verdict, summary = _reason(error)
        else:
            verdict, summary = Verdict.PASS, _done(order.phase, run.findings, clock.now() - began)
        return MigrationOutcome(
            verdict,
            clean(summary.rstrip(".")),
            tuple(
                replace(each, summary=clean(each.summary), output=clean(each.output)) for each in run.findings
            ),
            run.ledger,
            run.left(Phase.BACKFILL),
            run.left(Phase.CONTRACT),
        )

    async def _plan(self, order: MigrationOrder) -> MigrationPlan:
        directory = await asyncio.to_thread(_look_into, order)
        in_time = answer_within(order.database.statement_timeout + LONGEST_SILENCE)
        async with in_time, connect(order, "plan") as connection:
            async with connection.transaction():
                await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                entries = await read_ledger(connection, order.service)
                now = await take_snapshot(connection)
            version = connection.info.server_version
        comparison = compare(directory.files, entries, order)
        found = await self._lint(comparison.pending, f"{version // 10_000}.{version % 10_000}")
        unreadable = [sentence(each) for each in directory.unusable]
        return MigrationPlan(
            entries.applied,
            tuple(_planned(file) for file in comparison.pending),
            (*comparison.problems, *unreadable),
            (*(each for each in directory.findings if not each.refused), *found),
            () if entries.schema is None else drift(entries.schema, now, indexes_of(comparison.pending)),
        )


class _Clean:
    """Texts without the secrets that the order holds, and without what a terminal would obey."""

    def __init__(self, order: MigrationOrder) -> None:
        self._redaction = Redaction(secrets_of(order.database))

    def __call__(self, text: str) -> str:
        return printable(self._redaction.apply(text))[:MAXIMUM_OUTPUT]


def _look_into(order: MigrationOrder) -> MigrationDirectory:
    """Raises InvalidInput, with the setting that says where it is."""
    try:
        return look_into(version_directory(order.database.migrations, order.service, order.version))
    except InvalidInput as error:
        setting = f"services.{order.service}.database.migrations of the service file"
        raise InvalidInput(f"{str(error).rstrip('.')}; {setting} says where it is.") from error


def _planned(file: MigrationFile) -> PlannedMigration:
    statements = (shorten(each.text, SHOWN, placeholder=" ...") for each in file.statements)
    return PlannedMigration(file.migration, str(file.path), tuple(statements))


def _reason(error: Exception) -> tuple[Verdict, str]:
    """Whose fault it is, and a sentence on it."""
    match error:
        case Stopped():
            return error.verdict, str(error)
        case InvalidInput():
            return Verdict.FAIL, str(error)
        case BluegreenError():
            return Verdict.ERROR, str(error)
        case psycopg.Error() if ends_connection(error):
            return Verdict.ERROR, f"The connection to the database was lost: {said(error)}"
        case psycopg.Error():
            return Verdict.FAIL, f"The database refused it: {said(error)}"
        case _:  # a defect of ours must not end the service's worker, and must never count as a pass
            log.error("the runner of migrations is broken:\n%s", "".join(traceback.format_exception(error)))
            return Verdict.ERROR, f"the runner of migrations is broken: {type(error).__name__}"


def _done(phase: Phase, findings: list[Finding], seconds: float) -> str:
    if not findings:
        return f"Nothing was left to do for {phase}"
    files = "1 file" if len(findings) == 1 else f"{len(findings)} files"
    return f"{files} of {phase} applied in {seconds:.1f} s"
