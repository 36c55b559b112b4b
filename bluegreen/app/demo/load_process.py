"""The load as a process, seen from its parent."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from bluegreen.app.demo.load_plan import LoadPlan
from bluegreen.app.demo.load_report import Damage, LoadReport
from bluegreen.app.demo.processes import ChildFailed, ChildProcess, ChildProcesses, Command

START_SECONDS = 20.0


class LoadReports:
    """The reports that have come. `requests`, `failed` and `damage` count over all of them."""

    def __init__(self, on_report: Callable[[LoadReport], None] | None = None) -> None:
        self.latest: LoadReport | None = None
        self.requests = 0
        self.failed = 0
        self.damage: dict[str, Damage] = {}
        self._on_report = on_report
        self._waiting: list[tuple[Callable[[LoadReport], bool], asyncio.Future[LoadReport]]] = []

    def take(self, line: str) -> None:
        """Take one line of the load's output. Raises ValueError when it is no report."""
        report = LoadReport.from_json(line)
        self.latest = report
        if not report.final:
            self.requests += report.requests
            self.failed += report.failed
            for version, damage in report.damage.items():
                self.damage[version] = self.damage.get(version, Damage()).and_later(damage)
        if self._on_report:
            self._on_report(report)
        for enough, waiter in self._waiting:
            if not waiter.done() and enough(report):
                waiter.set_result(report)
        self._waiting = [(enough, waiter) for enough, waiter in self._waiting if not waiter.done()]

    async def until(self, enough: Callable[[LoadReport], bool]) -> LoadReport:
        """The next report to come that is `enough`."""
        report: asyncio.Future[LoadReport] = asyncio.get_running_loop().create_future()
        self._waiting.append((enough, report))
        return await report


@dataclass(frozen=True, slots=True)
class LoadProcess:
    """A running load and what it has reported."""

    plan: LoadPlan
    child: ChildProcess
    reports: LoadReports

    @classmethod
    async def start(
        cls,
        children: ChildProcesses,
        plan: LoadPlan,
        on_report: Callable[[LoadReport], None] | None = None,
    ) -> Self:
        """Start it; return with its first report. Each one is given to `on_report`. Raises ChildFailed."""
        reports = LoadReports(on_report)
        child = await children.start(Command("load", _arguments(plan), on_line=reports.take))
        load = cls(plan, child, reports)
        await load.until(lambda _: True, START_SECONDS)
        return load

    async def until(self, enough: Callable[[LoadReport], bool], timeout: float = 10.0) -> LoadReport:
        """The next report that is `enough`. Raises ChildFailed when none comes within `timeout` seconds."""
        return await self.child.expect(self.reports.until(enough), timeout)

    async def finished(self) -> LoadReport:
        """Wait for its end; the report over the whole run. Raises ChildFailed when it does not end well."""
        status = await self.child.exited()
        latest = self.reports.latest
        if status != 0 or latest is None or not latest.final:
            raise ChildFailed(self.child, f"ended with status {status}, its last report not a final one")
        return latest

    async def stop(self) -> LoadReport:
        """Let it finish what is in flight; the report over the whole run. Raises ChildFailed."""
        await self.child.stop(self.plan.timeout + 5.0)
        return await self.finished()


def _arguments(plan: LoadPlan) -> tuple[str, ...]:
    optional = {"--duration": plan.duration, "--authority": plan.authority}
    return (
        *(sys.executable, "-m", "bluegreen.app.demo.load"),
        *(f"--target=http://{target.name}" for target in plan.targets),
        *(f"--protocol={protocol}" for protocol in plan.protocols),
        f"--rate={plan.rate}",
        f"--slow-share={plan.slow_share}",
        f"--slow-seconds={plan.slow_seconds}",
        f"--timeout={plan.timeout}",
        f"--interval={plan.interval}",
        f"--http2-connections={plan.http2_connections}",
        f"--people={plan.people}",
        *(f"{flag}={value}" for flag, value in optional.items() if value is not None),
    )
