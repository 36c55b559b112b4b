"""The migrations of a service as a person sees them: what is applied, what runs, what comes."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bluegreen.admin.cli.gates_view import VERDICT_COLOURS, findings_view
from bluegreen.admin.cli.goals import more_than_summary
from bluegreen.admin.cli.migration_bar import rows_line
from bluegreen.admin.cli.migration_goal import STOPPED, what_is_next
from bluegreen.admin.cli.output import clock, columns, printable, span
from bluegreen.admin.v1 import admin_pb2 as pb

PHASES = ("expand", "backfill", "contract")

Change = tuple[int, str]
"""Of the schema: its number and name."""


def migrations_view(status: pb.ServiceStatus, now: float) -> RenderableType:
    """`now` is seconds since the epoch. The status tells of the ledger."""
    head = Text(status.service, "bold").append("  database ", "").append(printable(status.database))
    if not status.database:
        return Text(
            f"The service file says nothing of a database of {status.service}: see services."
            f"{status.service}.database"
        )
    parts: list[RenderableType] = [head, _changes(status)]
    lines = [*migration_lines(status, now)]
    following = what_is_next(status)
    if following:
        lines.append(Text(printable(following)))
    return Group(*parts, Text(), *lines) if lines else Group(*parts)


def migration_lines(status: pb.ServiceStatus, now: float) -> Iterator[RenderableType]:
    """What a status says of them: of each phase the last run, and how far the one under way is."""
    told = set()
    for run in status.migration_runs:
        if run.phase not in told:
            told.add(run.phase)
            yield from _run(run, status, now)
    if status.way_back_ends:
        yield Text(printable(status.way_back_ends), "yellow")


def verdict_word(run: pb.MigrationRun) -> Text:
    if not run.verdict:
        return Text("under way" if run.begun_at else "waits", "cyan")
    word = "stopped" if run.verdict == STOPPED else run.verdict
    return Text(word, VERDICT_COLOURS.get(run.verdict, ""))


def _run(run: pb.MigrationRun, status: pb.ServiceStatus, now: float) -> Iterator[RenderableType]:
    line = Text(f"{run.phase.capitalize()} of {printable(run.version)}: ").append(verdict_word(run))
    if run.verdict:
        yield line.append(
            f", {span(now - run.finished_at)} ago: {printable(run.summary.removeprefix('is '))}"
        )
        yield from findings_view(each for each in more_than_summary(run) if each.verdict != "pass")
        return
    if run.begun_at:
        yield line.append(f" for {span(now - run.begun_at)}{_how_far(status.migration_progress)}")
    else:
        yield line.append(f" for {span(now - run.wanted_at)}, until nothing stands in its way")
    if status.migration_progress.note:
        yield Text(f"  waits: {printable(status.migration_progress.note)}", "yellow")


def _how_far(progress: pb.MigrationProgress) -> str:
    if not progress.file:
        return ""
    rows = f", {rows_line(progress)}" if progress.rows_done or progress.rows_total > 0 else ""
    return f": {printable(progress.file)}{rows}"


def _changes(status: pb.ServiceStatus) -> Table | Text:
    """A row for each change of the schema, with its three phases."""
    cells = _cells(status)
    if not cells:
        return Text("Nothing is known to be applied. Look with: bluegreen migrations plan " + status.service)
    table = columns("NUMBER", "NAME", *(phase.upper() for phase in PHASES))
    for (number, name), phases in sorted(cells.items()):
        table.add_row(f"{number:04}", printable(name), *(phases.get(phase, Text("-")) for phase in PHASES))
    return table


def _cells(status: pb.ServiceStatus) -> dict[Change, dict[str, Text]]:
    cells: dict[Change, dict[str, Text]] = {}
    for applied in status.ledger:
        what = applied.migration
        cells.setdefault((what.number, what.name), {})[what.phase] = _applied(applied)
    for text in _to_come(status):
        name, phase = text.rsplit(".", 1)
        number, name = name.split("_", 1)
        cells.setdefault((int(number), name), {}).setdefault(phase, _pending(text, status))
    return cells


def _applied(applied: pb.AppliedMigration) -> Text:
    cell = Text(f"{clock(applied.applied_at)}  {_took(applied.seconds):>6}", "green")
    return cell.append(printable(f"  {applied.version}, {applied.author}"), "dim")


def _took(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 60 else span(seconds)


def _pending(text: str, status: pb.ServiceStatus) -> Text:
    if text in status.migration_progress.file:
        return Text("under way", "cyan")
    return Text("to come", "yellow")


def _to_come(status: pb.ServiceStatus) -> Iterator[str]:
    for left in status.migrations_left:
        yield from (*left.backfills, *left.contracts)
