"""environments, logs."""

from __future__ import annotations

import time
from typing import Any

import click

from bluegreen.admin.cli.connection import Connection, connected
from bluegreen.admin.cli.environments_view import environments_view
from bluegreen.admin.cli.exit_code import ExitCode
from bluegreen.admin.cli.failure import Failure
from bluegreen.admin.cli.options import Caller
from bluegreen.admin.cli.output import printable, show, show_json
from bluegreen.admin.v1 import admin_pb2 as pb

_NAMED = 20
"""Instances; more are in `environments`."""


def environments(caller: Caller, service: str) -> ExitCode:
    with connected(caller) as connection:
        answer = connection.call("GetStatus", pb.GetStatusRequest(service=service, instances=True))
    if caller.json:
        show_json(answer)
    else:
        show(environments_view(answer, time.time()))
    return ExitCode.DONE


def logs(caller: Caller, request: dict[str, Any]) -> ExitCode:
    with connected(caller) as connection:
        if request["instance"] is None:
            raise Failure(_which(connection, request["service"]), ExitCode.USAGE)
        answer = connection.call("GetInstanceLog", pb.GetInstanceLogRequest(**request))
    if caller.json:
        show_json(answer)
        return ExitCode.DONE
    for line in answer.text.splitlines():
        click.echo(printable(line.expandtabs()).rstrip())
    if not answer.text:
        click.echo(f"Nothing is known of what {request['instance']} has written.", err=True)
    return ExitCode.DONE


def _which(connection: Connection, service: str) -> str:
    status = connection.call("GetStatus", pb.GetStatusRequest(service=service, instances=True))
    there = [f"{one.id} on {each.environment}" for each in status.deployments for one in each.instances]
    if not there:
        return f"bluegreen has no instances of {service}."
    more = f" and {len(there) - _NAMED} more" if len(there) > _NAMED else ""
    return f"Say which instance: {', '.join(there[:_NAMED])}{more}."
