"""status, history, events."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from rich.console import RenderableType
from rich.live import Live

from bluegreen.admin.cli.catalogue import NO_SERVICE, services_view
from bluegreen.admin.cli.connection import ANSWER_WITHIN, Connection, connected
from bluegreen.admin.cli.exit_code import ExitCode
from bluegreen.admin.cli.failure import Failure
from bluegreen.admin.cli.history_view import history_view
from bluegreen.admin.cli.options import Caller, Patience
from bluegreen.admin.cli.output import clock, console, show, show_json
from bluegreen.admin.cli.progress import Progress
from bluegreen.admin.cli.status_view import event_line, status_view
from bluegreen.admin.cli.watching import follow
from bluegreen.admin.v1 import admin_pb2 as pb

_FOREVER = Patience(wait=True)


def status(caller: Caller, service: str | None) -> ExitCode:
    with connected(caller) as connection:
        there = pb.ListServicesResponse()
        if service is None:
            there = connection.call("ListServices", pb.ListServicesRequest())
        if len(there.services) > 1 and not caller.json:
            show(services_view(there), "", "One of them: bluegreen status SERVICE")
            return ExitCode.DONE
        request = pb.GetStatusRequest(service=service or _only(there))
        answer = connection.call("GetStatus", request)
    if caller.json:
        show_json(answer)
    else:
        show(status_view(answer, time.time()))
    return ExitCode.DONE


def _only(there: pb.ListServicesResponse) -> str:
    """The name of the service that need not be named, since there is no other."""
    if not there.services:
        raise Failure(NO_SERVICE, ExitCode.USAGE)
    if len(there.services) > 1:
        names = ", ".join(each.service for each in there.services)
        raise Failure(f"Say which service: {names}.", ExitCode.USAGE)
    name: str = there.services[0].service
    return name


def watch_status(caller: Caller, service: str | None) -> ExitCode:
    with connected(caller) as connection:
        name = service or _only(connection.call("ListServices", pb.ListServicesRequest()))
        request = pb.GetStatusRequest(service=name)
        statuses = follow(lambda seconds: connection.stream("WatchStatus", request, seconds), _FOREVER)
        try:
            if caller.json:
                for each in statuses:
                    show_json(each, line=True)
            elif sys.stdout.isatty():
                _watch_live(statuses)
            else:
                _watch_lines(statuses)
        except KeyboardInterrupt:
            return ExitCode.INTERRUPTED
    return ExitCode.DONE


def history(caller: Caller, request: dict[str, Any]) -> ExitCode:
    with connected(caller) as connection:
        answer = connection.call("GetHistory", pb.GetHistoryRequest(**request))
    if caller.json:
        show_json(answer)
    else:
        show(history_view(answer))
    return ExitCode.DONE


def events(caller: Caller, request: dict[str, Any]) -> ExitCode:
    with connected(caller) as connection:
        try:
            for event in _events(connection, request):
                if caller.json:
                    show_json(event, line=True)
                else:
                    show(event_line(event))
        except KeyboardInterrupt:
            return ExitCode.INTERRUPTED
    return ExitCode.DONE


def _events(connection: Connection, request: dict[str, Any]) -> Iterator[pb.Event]:
    """Those that there are, and with `follow` those that come: after the last one, whatever happens to the
    stream."""
    follow_on, last = request.pop("follow"), 0

    def coming(seconds: float) -> Iterator[pb.Event]:
        return connection.stream(
            "ListEvents", pb.ListEventsRequest(**request, follow=True, after=last), seconds
        )

    there = connection.stream("ListEvents", pb.ListEventsRequest(**request), ANSWER_WITHIN)
    for event in chain(there, follow(coming, _FOREVER, answered=True, quiet=True) if follow_on else ()):
        last = event.id
        yield event


@dataclass(slots=True)
class _Latest:
    """Drawn anew a few times a second, so that countdowns count between two statuses."""

    status: pb.ServiceStatus

    def __rich__(self) -> RenderableType:
        return status_view(self.status, time.time())


def _watch_live(statuses: Iterator[pb.ServiceStatus]) -> None:
    latest = _Latest(next(statuses))
    with Live(latest, console=console(), refresh_per_second=4):
        for each in statuses:
            latest.status = each


def _watch_lines(statuses: Iterator[pb.ServiceStatus]) -> None:
    progress = Progress()
    for each in statuses:
        for sentence in progress.news(each):
            show(f"{clock(time.time())}  {sentence}")
        sys.stdout.flush()
