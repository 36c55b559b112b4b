"""The last part of the story: a release that splits the column of names in two while both versions use it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.app.demo.migration_operations import MigrationOperations
from bluegreen.app.demo.operations import ORIGIN, SECONDS, Operations, Version
from bluegreen.app.demo.people_table import count_halves
from bluegreen.app.demo.releases import SPLITS, UNSAFE
from bluegreen.app.demo.stage import SERVICE

BREATH = 1.5
"""Seconds of load on a version before the next act, so that it reads what the other one has written."""


@dataclass(frozen=True, slots=True)
class DatabaseRelease:
    """Each act raises DemoFailed, or grpc.RpcError, where it does not go as promised."""

    operations: Operations
    migrations: MigrationOperations

    async def play(self, v2: Version) -> None:
        """From v2, which has all traffic and reads and writes `name`, to v7, for which there is no `name`."""
        await self._unsafe()
        v7 = await self._deploy()
        promote = pb.PromoteRequest(origin=ORIGIN, service=SERVICE, full=True)
        await self.migrations.refused(
            f"{v7.name} gets no traffic before its backfill", self.operations.admin.Promote(promote)
        )
        await self.migrations.migrate("backfill")
        await self._back_and_forth(v2, v7)
        contract = pb.MigrateRequest(origin=ORIGIN, service=SERVICE, phase="contract")
        await self.migrations.refused(
            f"no contract while {v2.name} is warm", self.operations.admin.Migrate(contract)
        )
        await self.migrations.migrate("contract", retire_standby=True)
        rollback = pb.CommandRequest(origin=ORIGIN, service=SERVICE)
        await self.migrations.refused("no rollback after it", self.operations.admin.Rollback(rollback))
        await asyncio.sleep(BREATH)
        await self._prove()

    async def _unsafe(self) -> None:
        version = await self.operations.begin_deployment(UNSAFE)
        await self.migrations.unsafe(version)

    async def _deploy(self) -> Version:
        version = await self.operations.begin_deployment(SPLITS)
        await self.migrations.expanded(version)
        await self.operations.ready(version)
        await self.operations.check_preview(version)
        return version

    async def _back_and_forth(self, v2: Version, v7: Version) -> None:
        """Each of them reads what the other one has written just before."""
        await self.operations.promote(v7, f"switch to {v7.name}", full=True)
        status = await self.operations.watch.until(
            lambda status: bool(status.way_back_ends), "where the way back ends", SECONDS
        )
        self.operations.view.say(f"The status says beforehand: {status.way_back_ends}")
        await asyncio.sleep(BREATH)
        await self.operations.rollback(v2)
        await asyncio.sleep(BREATH)
        await self.operations.promote(v7, f"{v7.name} again", full=True)
        await self.operations.drained(v2, v2.name)

    async def _prove(self) -> None:
        """In the database itself, beside what the load has checked with each answer."""
        halves = await asyncio.to_thread(count_halves, self.operations.stage.people)
        self.migrations.figures.halves = halves
        right = f"{halves.rows - halves.wrong:,} of {halves.rows:,} rows"
        self.operations.view.say(f"Proof in the database: {right} have both halves of the same name")
