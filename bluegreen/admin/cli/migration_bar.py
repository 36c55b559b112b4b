"""How far migrations are, on standard error: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TaskProgressColumn
from rich.table import Column
from rich.text import Text

from bluegreen.admin.cli.output import console, printable, span, tell
from bluegreen.admin.v1 import admin_pb2 as pb

LINE_EVERY = 10.0
"""Seconds."""


class MigrationBar:
    """Shows the rows of a backfill, their rate and the time left, while a status tells of them."""

    def __init__(self) -> None:
        self._live: Progress | None = None
        self._task: TaskID | None = None
        self._file, self._told_at = "", 0.0

    def __enter__(self) -> MigrationBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def show(self, status: pb.ServiceStatus) -> None:
        progress = status.migration_progress
        if not progress.rows_done and progress.rows_total <= 0:
            self._end()
        elif sys.stderr.isatty():
            self._draw(progress)
        else:
            self._line(progress)

    def _draw(self, progress: pb.MigrationProgress) -> None:
        if progress.file != self._file:
            self._end()
        if self._live is None or self._task is None:
            self._file = progress.file
            self._live = Progress(
                _File(table_column=Column(no_wrap=True)),
                BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=8)),
                TaskProgressColumn(),
                _Rows(table_column=Column(no_wrap=True)),
                console=console(err=True),
                expand=True,
            )
            self._task = self._live.add_task("", total=None)
            self._live.start()
        total = max(progress.rows_total, progress.rows_done) if progress.rows_total >= 0 else None
        self._live.update(self._task, completed=progress.rows_done, total=total, progress=progress)

    def _line(self, progress: pb.MigrationProgress) -> None:
        """The first one at once, so that it is seen that there is something to come."""
        now = time.monotonic()
        if progress.file == self._file and now - self._told_at < LINE_EVERY:
            return
        self._file, self._told_at = progress.file, now
        tell(printable(f"{progress.file}: {rows_line(progress)}"))

    def _end(self) -> None:
        if self._live is not None:
            self._live.stop()
        self._live, self._task = None, None


def rows_line(progress: pb.MigrationProgress) -> str:
    """Such as `412,000 of about 1,000,000 rows (41 %), 20,312 rows/s, 29s left`."""
    parts = [_counted(progress)]
    if progress.rows_per_second > 0:
        parts.append(f"{progress.rows_per_second:,.0f} rows/s")
    if progress.seconds_left >= 0:
        parts.append(f"{span(progress.seconds_left)} left")
    return ", ".join(parts)


def _counted(progress: pb.MigrationProgress) -> str:
    if progress.rows_total <= 0:
        return f"{progress.rows_done:,} rows"
    percent = min(100, 100 * progress.rows_done // progress.rows_total)
    return f"{progress.rows_done:,} of about {progress.rows_total:,} rows ({percent} %)"


class _File(ProgressColumn):
    def render(self, task: Task) -> Text:
        progress: pb.MigrationProgress | None = task.fields.get("progress")
        return Text(printable(progress.file) if progress else "")


class _Rows(ProgressColumn):
    def render(self, task: Task) -> Text:
        progress: pb.MigrationProgress | None = task.fields.get("progress")
        if progress is None:
            return Text("")
        rows = f"{progress.rows_done:,}"
        if progress.rows_total > 0:
            rows += f"/{progress.rows_total:,} rows"
        rate = f"  {progress.rows_per_second:,.0f}/s" if progress.rows_per_second > 0 else ""
        left = f"  {span(progress.seconds_left)} left" if progress.seconds_left >= 0 else ""
        return Text(rows + rate, "cyan").append(left, "yellow" if progress.note else "")
