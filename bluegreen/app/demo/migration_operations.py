"""What an operator does about the database: each phase, waited for and told; and what is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import grpc

from bluegreen.admin.cli.migration_bar import rows_line
from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.app.demo.database_figures import DatabaseFigures, Migrated, RefusedAct
from bluegreen.app.demo.operations import ORIGIN, SECONDS, Operations, Version
from bluegreen.app.demo.service_watch import DemoFailed
from bluegreen.app.demo.stage import SERVICE

TELL_EVERY = 25
"""Percent of a backfill between two lines about it."""


@dataclass(frozen=True, slots=True)
class MigrationOperations:
    """Each raises DemoFailed or grpc.RpcError where it does not go as promised."""

    operations: Operations
    figures: DatabaseFigures

    async def migrate(self, phase: str, *, retire_standby: bool = False) -> pb.MigrationRun:
        """One phase of the version that it is due for, to its end."""
        request = pb.MigrateRequest(
            origin=ORIGIN, service=SERVICE, phase=phase, retire_standby=retire_standby
        )
        answer = await self.operations.admin.Migrate(request)
        self.operations.view.say(f"{phase.capitalize()}: {answer.message}")
        return await self._finished(answer.migration_run.id, phase)

    async def expanded(self, version: Version) -> None:
        """The expand that a deployment began with, to its end."""
        what = f"the expand of {version.name}"
        begun = await self._expand_of(version, what)
        self.operations.view.say(
            f"{version.name} is expanding: before the schema is there, none of its processes is started"
        )
        run = await self._finished(begun.id, what)

        def tests(status: pb.ServiceStatus) -> list[pb.Check]:
            return [each for each in status.checks if each.subject == f"migration {run.id}" and each.verdict]

        status = await self.operations.watch.until(lambda status: bool(tests(status)), what, SECONDS)
        self.operations.view.say(f"The active version on the expanded schema: {tests(status)[0].summary}")

    async def unsafe(self, version: Version) -> None:
        """Its expand is refused, before anything has happened."""
        what = f"the expand of {version.name}"
        run = await self._expand_of(version, what, over=True)
        if run.verdict != "fail":
            raise DemoFailed(f"{what} was not refused: {run.verdict}, {run.summary}")
        self.operations.view.say(f"{version.name} has failed, and the database is as it was")
        for finding in run.findings:
            self._refused(what, finding.summary)

    async def _expand_of(self, version: Version, what: str, *, over: bool = False) -> pb.MigrationRun:
        def runs(status: pb.ServiceStatus) -> list[pb.MigrationRun]:
            return [
                each
                for each in status.migration_runs
                if each.deployment_revision == version.revision and (each.verdict or not over)
            ]

        return runs(await self.operations.watch.until(lambda status: bool(runs(status)), what, SECONDS))[0]

    async def _finished(self, run: int, what: str) -> pb.MigrationRun:
        """The run with this number, once it is over. Raises DemoFailed where it has not passed."""
        percent = 0
        while True:
            status = await self.operations.watch.until(_has_come(run, percent), what, SECONDS)
            found, progress = _run(status, run), status.migration_progress
            if found.verdict:
                break
            percent = _percent(progress) - _percent(progress) % TELL_EVERY + TELL_EVERY
            self.operations.view.say(f"{progress.file}: {rows_line(progress)}")
        if found.verdict != "pass":
            raise DemoFailed(f"{what}: {found.verdict}, {found.summary}")
        self.operations.view.say(found.summary)
        self.figures.migrated.append(Migrated(found.phase, found.finished_at - found.begun_at, found.summary))
        return found

    async def refused(self, what: str, asked: Awaitable[object]) -> None:
        """Take down the words in which it was. Raises DemoFailed where it was not."""
        try:
            await asked
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.FAILED_PRECONDITION:
                raise
            words = error.details() or ""
        else:
            raise DemoFailed(f"{what} was not refused")
        self._refused(what, words)

    def _refused(self, what: str, words: str) -> None:
        self.figures.refused.append(RefusedAct(what, words))
        self.operations.view.say(f"Refused, {what}: {words}")


def _run(status: pb.ServiceStatus, number: int) -> pb.MigrationRun:
    return next((each for each in status.migration_runs if each.id == number), pb.MigrationRun())


def _has_come(run: int, percent: int) -> Callable[[pb.ServiceStatus], bool]:
    """Whether a run is over, or its backfill has come to that percentage of the rows."""

    def holds(status: pb.ServiceStatus) -> bool:
        progress = status.migration_progress
        return bool(_run(status, run).verdict) or (progress.rows_total > 0 and _percent(progress) >= percent)

    return holds


def _percent(progress: pb.MigrationProgress) -> int:
    return int(100 * progress.rows_done / max(1, progress.rows_total))
