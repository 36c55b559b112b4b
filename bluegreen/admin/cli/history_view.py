"""All deployments, rollouts and verdicts of a service, as a person sees them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bluegreen.admin.cli.gates_view import VERDICT_COLOURS
from bluegreen.admin.cli.goals import since_first_bad
from bluegreen.admin.cli.migrations_view import verdict_word
from bluegreen.admin.cli.output import clock, columns, printable, span
from bluegreen.admin.v1 import admin_pb2 as pb


def history_view(history: pb.GetHistoryResponse) -> RenderableType:
    if not history.deployments:
        return Text("Nothing was deployed yet.")
    parts: list[RenderableType] = [_deployments(history)]
    if history.rollouts:
        parts += [Text(), _rollouts(history)]
    if history.checks:
        parts += [Text(), _verdicts(history)]
    if history.migration_runs:
        parts += [Text(), _migrations(history)]
    return Group(*parts)


def _deployments(history: pb.GetHistoryResponse) -> Table:
    table = columns("REVISION", "VERSION", "ENVIRONMENT", "STATUS", "DEPLOYED", "ACTIVATED", "NOTE")
    for each in history.deployments:
        activated = clock(each.activated_at) if each.activated_at else "-"
        what = (str(each.revision), each.version, each.environment, each.status)
        table.add_row(*what, clock(each.deployed_at), activated, printable(each.note))
    return table


def _verdicts(history: pb.GetHistoryResponse) -> Table:
    """What every gate has said, of which deployment and at which step of which rollout."""
    steps = {each.id: each.steps for each in history.rollouts}
    table = columns("CHECK", "GATE", "REVISION", "ROLLOUT", "ASKED", "TOOK", "VERDICT", "SUMMARY")
    for each in history.checks:
        verdict = Text(each.verdict or "open", VERDICT_COLOURS.get(each.verdict, ""))
        took = span(each.finished_at - each.wanted_at) if each.finished_at else "-"
        rollout = _place(each, steps.get(each.rollout_id, ()))
        what = (str(each.id), each.subject or each.kind, str(each.deployment_revision), rollout)
        table.add_row(*what, clock(each.wanted_at), took, verdict, printable(each.summary))
    return table


def _migrations(history: pb.GetHistoryResponse) -> Table:
    table = columns("RUN", "PHASE", "VERSION", "ASKED", "BY", "TOOK", "VERDICT", "SUMMARY")
    for each in history.migration_runs:
        took = span(each.finished_at - each.begun_at) if each.finished_at and each.begun_at else "-"
        what = (str(each.id), each.phase, each.version, clock(each.wanted_at), printable(each.author))
        table.add_row(*what, took, verdict_word(each), printable(each.summary))
    return table


def _place(check: pb.Check, steps: Sequence[int]) -> str:
    if not check.rollout_id:
        return "-"
    percent = f", {steps[check.step]} %" if 0 <= check.step < len(steps) else ""
    return f"{check.rollout_id}{percent}"


def _rollouts(history: pb.GetHistoryResponse) -> Table:
    times = ("STARTED", "FINISHED", "LAST ACK")
    table = columns("ROLLOUT", "KIND", "REVISION", "FROM", "STATE", *times, "REASON")
    for each in history.rollouts:
        finished = clock(each.finished_at) if each.finished_at else "-"
        last_ack = f"{each.seconds_to_last_ack * 1000:.0f} ms" if each.seconds_to_last_ack else "-"
        what = (str(each.id), each.kind, str(each.candidate_revision), str(each.previous_revision or "-"))
        reason = "; ".join(filter(None, (printable(each.reason), since_first_bad(each))))
        table.add_row(*what, each.state, clock(each.started_at), finished, last_ack, reason)
    return table
