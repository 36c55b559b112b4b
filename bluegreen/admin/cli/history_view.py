"""All deployments and rollouts of a service, as a person sees them."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bluegreen.admin.cli.output import clock, columns, printable
from bluegreen.admin.v1 import admin_pb2 as pb


def history_view(history: pb.GetHistoryResponse) -> RenderableType:
    if not history.deployments:
        return Text("Nothing was deployed yet.")
    parts: list[RenderableType] = [_deployments(history)]
    if history.rollouts:
        parts += [Text(), _rollouts(history)]
    return Group(*parts)


def _deployments(history: pb.GetHistoryResponse) -> Table:
    table = columns("REVISION", "VERSION", "ENVIRONMENT", "STATUS", "DEPLOYED", "ACTIVATED", "NOTE")
    for each in history.deployments:
        activated = clock(each.activated_at) if each.activated_at else "-"
        what = (str(each.revision), each.version, each.environment, each.status)
        table.add_row(*what, clock(each.deployed_at), activated, printable(each.note))
    return table


def _rollouts(history: pb.GetHistoryResponse) -> Table:
    table = columns(
        "ROLLOUT", "KIND", "REVISION", "FROM", "STATE", "STARTED", "FINISHED", "LAST ACK", "REASON"
    )
    for each in history.rollouts:
        finished = clock(each.finished_at) if each.finished_at else "-"
        last_ack = f"{each.seconds_to_last_ack * 1000:.0f} ms" if each.seconds_to_last_ack else "-"
        what = (str(each.id), each.kind, str(each.candidate_revision), str(each.previous_revision or "-"))
        table.add_row(*what, each.state, clock(each.started_at), finished, last_ack, printable(each.reason))
    return table
