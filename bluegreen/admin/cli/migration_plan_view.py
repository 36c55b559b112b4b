"""What a version's migrations would do, as a person sees it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from rich.console import Group, RenderableType
from rich.text import Text

from bluegreen.admin.cli.output import columns, printable
from bluegreen.admin.v1 import admin_pb2 as pb


def plan_view(plan: pb.MigrationPlan) -> RenderableType:
    parts: list[RenderableType] = []
    if plan.pending:
        table = columns("PENDING", "STATEMENTS")
        for each in plan.pending:
            first, *others = [printable(line) for line in each.statements] or [""]
            table.add_row(_name(each.file), "\n".join([first, *others]))
        parts.append(table)
    for title, lines in (
        ("Problems", [Text(f"  {printable(each)}", "red") for each in plan.problems]),
        ("Done to the schema by other hands", [Text(f"  {printable(each)}", "red") for each in plan.drift]),
        ("Findings", [line for each in plan.findings for line in _finding(each)]),
    ):
        if lines:
            parts += [*([Text()] if parts else []), Text(title, "bold"), *lines]
    return Group(*parts)


def would_be_refused(plan: pb.MigrationPlan) -> list[str]:
    """The reasons, in a few words; empty where nothing is wrong."""
    refused = sum(each.refused for each in plan.findings)
    counts = (
        (len(plan.problems), "problem"),
        (len(plan.drift), "difference of the schema from the ledger"),
        (refused, "finding"),
    )
    return [f"{count} {_plural(what, count)}" for count, what in counts if count]


def _plural(what: str, count: int) -> str:
    first, _, rest = what.partition(" ")
    return what if count == 1 else f"{first}s {rest}".rstrip()


def _name(file: str) -> str:
    """The directory is that of the version, where the control plane runs."""
    return printable(PurePath(file).name)


def _finding(each: pb.LintFinding) -> Iterator[Text]:
    line = Text(f"  {_name(each.file)}:{each.line}:{each.column}: ")
    line.append("refused" if each.refused else "told", "red" if each.refused else "yellow")
    yield line.append(f"  {printable(each.rule)}: {printable(each.reason)}")
    if each.safe_way:
        yield Text(f"      safe way: {printable(each.safe_way)}")
