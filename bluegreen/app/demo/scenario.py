"""The story of the demo, all under load: a release, its rollback, the release again in steps; three bad
versions; and a release that changes the schema of the database that both versions share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bluegreen.app.demo.bad_versions import BadVersions
from bluegreen.app.demo.database_figures import DatabaseFigures
from bluegreen.app.demo.database_release import DatabaseRelease
from bluegreen.app.demo.load_plan import LoadPlan, Target
from bluegreen.app.demo.load_process import LoadProcess
from bluegreen.app.demo.load_report import LoadReport
from bluegreen.app.demo.migration_operations import MigrationOperations
from bluegreen.app.demo.operations import Operations, Version
from bluegreen.app.demo.people_table import add_people
from bluegreen.app.demo.processes import ChildProcesses
from bluegreen.app.demo.service_file import LOOPBACK

RATE = 400.0
"""Requests per second over both Envoys."""

PEOPLE = 50_000
"""Rows of the database, of which every second request is about one."""

BREATH = 2.0
"""Seconds of load between two acts, so that each is seen in the figures."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Plays what operations there are on the stage that they have."""

    operations: Operations
    children: ChildProcesses

    async def play(self) -> LoadReport:
        """The whole story; returns what the load saw. Raises DemoFailed, ChildFailed or grpc.RpcError."""
        await self.operations.set_up()
        async with self.operations.watch.following():
            v1 = await self._deploy("v1")
            await self._fill_database()
            await self.operations.promote(v1, "first traffic for v1", full=True)
            load = await self._begin_load()
            await asyncio.sleep(BREATH)
            v2 = await self._release(v1)
            acts = BadVersions(self.operations, load)
            bad = await self._bad_versions(acts)
            self.operations.view.say("v2 has all traffic, and none of the bad versions any")
            await self._database_release(v2)
            for version in bad:
                acts.count(version, await self.operations.stopped(version, version.name))
            for version in (v1, v2):
                await self.operations.stopped(version, version.name)
            self.operations.view.say("v7 has all traffic. The load ends")
            return await load.stop()

    async def _fill_database(self) -> None:
        url = self.operations.stage.people
        await asyncio.to_thread(add_people, url, PEOPLE)
        self.operations.view.say(f"{PEOPLE:,} people are in the database, each with a name in one column")

    async def _database_release(self, v2: Version) -> None:
        figures = DatabaseFigures(PEOPLE)
        self.operations.figures.database = figures
        await DatabaseRelease(self.operations, MigrationOperations(self.operations, figures)).play(v2)

    async def _release(self, v1: Version) -> Version:
        v2 = await self._deploy("v2")
        await self.operations.check_preview(v2)
        await self.operations.promote(v2, "atomic switch to v2", full=True)
        await asyncio.sleep(BREATH)
        await self.operations.rollback(v1)
        await self.operations.drained(v2, "v2, after the rollback")

        again = await self._deploy("v2", replace_standby=True)
        await self.operations.check_preview(again)
        await self.operations.promote(again, "v2 in steps", full=False)
        await self.operations.drained(v1, "v1, after the release")
        await self.operations.stopped(v2, "The v2 that was replaced")
        return again

    async def _bad_versions(self, acts: BadVersions) -> tuple[Version, ...]:
        v3 = await acts.fails_its_test("v3")
        v4 = await acts.turned_back("v4", "answers 2 % errors")
        v5 = await acts.turned_back("v5", "turns slow")
        return v3, v4, v5

    async def _deploy(self, name: str, *, replace_standby: bool = False) -> Version:
        version = await self.operations.deploy(name, replace_standby=replace_standby)
        await self.operations.ready(version)
        return version

    async def _begin_load(self) -> LoadProcess:
        view = self.operations.view
        view.say(f"Load: {RATE:.0f} requests/s through both Envoys, from a process of its own")
        production = self.operations.stage.ports.production
        plan = LoadPlan(
            tuple(Target(LOOPBACK, port) for port in production.values()), rate=RATE, people=PEOPLE
        )
        return await LoadProcess.start(self.children, plan, view.load_reported)
