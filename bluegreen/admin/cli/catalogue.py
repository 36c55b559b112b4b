"""apply, services."""

from __future__ import annotations

from typing import BinaryIO

import click
from rich.console import RenderableType

from bluegreen.admin.cli.connection import connected, origin
from bluegreen.admin.cli.exit_code import ExitCode
from bluegreen.admin.cli.failure import Failure
from bluegreen.admin.cli.options import Caller
from bluegreen.admin.cli.output import columns, number, printable, show, show_json
from bluegreen.admin.contract import MAX_DOCUMENT
from bluegreen.admin.v1 import admin_pb2 as pb

NO_SERVICE = "There is no service yet: bluegreen apply -f FILE adds some."

_SIGNS = {pb.Change.ADDED: "+", pb.Change.CHANGED: "~", pb.Change.REMOVED: "-"}


def apply(caller: Caller, file: BinaryIO, flags: dict[str, bool]) -> ExitCode:
    request = pb.ApplyRequest(origin=origin(caller), document=_read(file), **flags)
    with connected(caller) as connection:
        answer = connection.call("Apply", request)
    if caller.json:
        show_json(answer)
    if answer.problems:
        for problem in answer.problems:
            at = f"{file.name}:{problem.line}" if problem.line else file.name
            click.echo(printable(": ".join(filter(None, [at, problem.path, problem.message]))), err=True)
        count = len(answer.problems)
        raise Failure(
            f"{count} mistake{'s' * (count != 1)} in {file.name}; nothing was changed.", ExitCode.USAGE
        )
    if not caller.json:
        show(*map(_line, answer.changes), _summary(len(answer.changes), dry_run=request.dry_run))
    return ExitCode.DONE


def services(caller: Caller) -> ExitCode:
    with connected(caller) as connection:
        answer = connection.call("ListServices", pb.ListServicesRequest())
    if caller.json:
        show_json(answer)
    else:
        show(services_view(answer) if answer.services else NO_SERVICE)
    return ExitCode.DONE


def services_view(answer: pb.ListServicesResponse) -> RenderableType:
    table = columns(
        "SERVICE", "ACTIVE", "VERSION", "REQ/S", "ROLLOUT", "GATEWAYS", "DOMAINS", right=("REQ/S",)
    )
    for each in answer.services:
        active = next((one for one in each.deployments if one.status == "active"), None)
        rollout = each.rollout if each.rollout.id and not each.rollout.finished_at else None
        table.add_row(
            each.service,
            each.active_environment or "-",
            active.version if active else "-",
            number(active.requests_per_second) if active else "-",
            f"{rollout.percent} %, {rollout.state}" if rollout else "-",
            ", ".join(each.gateways),
            ", ".join(each.domains),
        )
    return table


def _read(file: BinaryIO) -> str:
    content = file.read(MAX_DOCUMENT + 1)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Failure(
            f"{file.name}:{line}: this is no text in UTF-8; nothing was changed.", ExitCode.USAGE
        ) from None


def _line(change: pb.Change) -> str:
    values = f": {change.before or '-'} -> {change.after or '-'}" if change.before or change.after else ""
    return printable(f"{_SIGNS.get(change.kind, '?')} {change.path}{values}")


def _summary(count: int, *, dry_run: bool) -> str:
    if not count:
        return "Nothing to change."
    changes = f"{count} change{'s' * (count != 1)}"
    return f"{changes} to be made; nothing was changed." if dry_run else f"{changes} made."
