"""Gates as a person sees them: what is asked, what the analysis sees, what a verdict was taken on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from bluegreen.admin.cli.fitting import Indented
from bluegreen.admin.cli.goals import find_deployment
from bluegreen.admin.cli.output import columns, printable, span
from bluegreen.admin.v1 import admin_pb2 as pb

VERDICT_COLOURS = {"pass": "green", "inconclusive": "yellow", "error": "red", "fail": "red"}

OUTPUT_LINES = 60
"""Of what a command printed, the last ones: all that was kept is in -o json."""

_BELOW_NAME = 16
"""Columns before the name of a finding."""

_LAST = ("tests", "tests-of-active")
"""Kinds of which the last verdict is of interest until there is another one."""


def gates_view(status: pb.ServiceStatus, now: float) -> list[RenderableType]:
    """A section of the status; nothing where there is nothing to tell. `now` is seconds since the epoch."""
    parts: list[RenderableType] = [*_asked(status, now)]
    if status.rollout.approval_wanted:
        parts.append(Text(approval_wanted(status), "yellow"))
    if status.HasField("observation"):
        parts += [_analysis(status, now), _conditions(status.observation)]
    return [Text(), Text("Gates", "bold"), *parts] if parts else []


def approval_wanted(status: pb.ServiceStatus) -> str:
    rollout, name = status.rollout, status.service
    return f"Rollout {rollout.id} leaves {rollout.percent} % once that is approved: bluegreen approve {name}"


def findings_view(findings: Iterable[pb.Finding]) -> Iterator[RenderableType]:
    """One verdict a line; below one that is no pass, what was printed."""
    for each in findings:
        yield _finding(each)
        if each.verdict != "pass":
            yield from _output(each.output)


def check_name(check: pb.Check, status: pb.ServiceStatus) -> str:
    """What is asked, of which version."""
    kind = {"tests-of-active": "tests in production", "hooks": f"hooks {check.subject}"}
    deployment = find_deployment(status, check.deployment_revision)
    version = deployment.version if deployment else f"revision {check.deployment_revision}"
    return f"{kind.get(check.kind, check.kind)} of {version}"


def _asked(status: pb.ServiceStatus, now: float) -> Iterator[RenderableType]:
    """Newest first; of what was asked again, the last time."""
    told = set()
    for check in status.checks:
        about = (check.kind, check.subject, check.deployment_revision)
        if about in told:
            continue
        told.add(about)
        name = printable(check_name(check, status))
        line = Text(f"{name[:1].upper()}{name[1:]}: ")
        if not check.verdict:
            yield line.append(f"under way for {span(now - check.wanted_at)}", "cyan")
        elif check.kind in _LAST or (check.kind == "hooks" and check.verdict != "pass"):
            line.append(check.verdict, VERDICT_COLOURS.get(check.verdict, ""))
            yield line.append(f", {span(now - check.finished_at)} ago: {printable(check.summary)}")
            yield from (_finding(each) for each in check.findings if each.verdict != "pass")


def _finding(each: pb.Finding) -> Indented:
    line = Text("  ").append(f"{each.verdict:<12}", VERDICT_COLOURS.get(each.verdict, ""))
    took = f" ({each.seconds:.1f} s)" if each.seconds else ""
    line.append(f"  {printable(each.name)}: {printable(each.summary)}{took}")
    return Indented(line, _BELOW_NAME)


def _output(output: str) -> Iterator[Text]:
    lines = output.splitlines()
    if len(lines) > OUTPUT_LINES:
        yield Text(f"    | ... {len(lines) - OUTPUT_LINES} lines before", "dim")
    for line in lines[-OUTPUT_LINES:]:
        yield Text(f"    | {printable(line.expandtabs())}".rstrip())


def _analysis(status: pb.ServiceStatus, now: float) -> Text:
    seen = status.observation
    line = Text(printable(f"Analysis of {_version(status, seen.candidate_revision)}"))
    if seen.active_revision:
        line.append(printable(f" beside {_version(status, seen.active_revision)}"))
    line.append(f" at {status.rollout.percent} %" if seen.rollout_id else " with all traffic")
    line.append(": ").append(seen.verdict, VERDICT_COLOURS.get(seen.verdict, ""))
    return line.append(f", watched for {span(now - max(seen.since, seen.begun))}")


def _version(status: pb.ServiceStatus, revision: int) -> str:
    deployment = find_deployment(status, revision)
    return deployment.version if deployment else f"revision {revision}"


def _conditions(seen: pb.Observation) -> Table:
    counts = ("PASS", "FAIL", "INCONCL.", "ERROR")
    table = columns("  CONDITION", "VERDICT", *counts, "LAST LOOK", right=counts)
    for each in seen.watched:
        verdict = Text(each.last.verdict, VERDICT_COLOURS.get(each.last.verdict, ""))
        tally = (each.passes, each.fails, each.inconclusives, each.errors)
        name, summary = printable(each.last.name), printable(each.last.summary)
        table.add_row(f"  {name}", verdict, *map(str, tally), summary)
    return table
