"""A service as a person sees it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bluegreen.admin.cli.environments_view import ENVIRONMENTS, environment_lines
from bluegreen.admin.cli.fitting import Alternatives, OneLine
from bluegreen.admin.cli.gates_view import VERDICT_COLOURS, gates_view
from bluegreen.admin.cli.goals import OVER, candidate, since_first_bad
from bluegreen.admin.cli.migrations_view import migration_lines
from bluegreen.admin.cli.output import clock, columns, number, printable, span
from bluegreen.admin.v1 import admin_pb2 as pb

_COLOURS = {
    "active": "green",
    "ready": "green",
    "shifting": "cyan",
    "expanding": "cyan",
    "deploying": "cyan",
    "draining": "yellow",
    "failed": "red",
    "paused": "yellow",
    "turning back": "yellow",
    "aborted": "yellow",
    **VERDICT_COLOURS,
}


_STANDING = ("ENVIRONMENT", "VERSION", "REV", "STATUS")
_FIGURES = ("SET", "ACKED", "OBSERVED", "REQ/S", "ACTIVE", "5XX", "P99 MS")

Row = dict[str, str | Text]
"""The cells of an environment, by their column."""


def status_view(status: pb.ServiceStatus, now: float) -> RenderableType:
    """`now` is seconds since the epoch, for ages and countdowns."""
    parts: list[RenderableType] = [_head(status), _environments(status, now), Text()]
    if status.rollout.id:
        parts.append(_rollout(status, now))
    parts.extend(_lagging(status))
    parts.extend(environment_lines(status))
    parts.extend(_migrations(status, now))
    parts.extend(gates_view(status, now))
    if status.activity:
        parts.append(Text(f"Now: {printable(status.activity)}"))
    if status.recent_events:
        parts += [Text(), Text("Last events", "bold")]
        parts += [OneLine(event_line(each)) for each in status.recent_events]
    return Group(*parts)


def event_line(event: pb.Event) -> Text:
    """When, of whom, what, and who wanted it."""
    line = Text(f"{clock(event.at)}  ")
    if event.service:
        line.append(f"{event.service}  ", "bold")
    line.append(f"{event.what}  ", _COLOURS.get(event.to, "cyan"))
    first, *table = event.message.splitlines() or [""]
    line.append(printable(first))
    reason = f": {event.reason}" if event.reason else ""
    line.append(f"  ({printable(event.actor + reason)})", "dim")
    return line.append("".join(f"\n    {printable(row).rstrip()}" for row in table))


def _head(status: pb.ServiceStatus) -> Text:
    head = Text(no_wrap=True)
    head.append(status.service, "bold")
    head.append(f"  {', '.join(status.domains)}  via {', '.join(status.gateways)}")
    return head.append(f"  (revision {status.revision})", "dim")


def _environments(status: pb.ServiceStatus, now: float) -> Alternatives:
    """One table, or the figures below in one of their own where the terminal is narrow."""
    rows = [*_rows(status, now)]
    return Alternatives(
        _table(rows, [*_STANDING, *_FIGURES, "SINCE"]),
        Group(_table(rows, [*_STANDING, "SINCE"]), Text(), _table(rows, ["ENVIRONMENT", *_FIGURES])),
    )


def _table(rows: Iterable[Row], names: Sequence[str]) -> Table:
    table = columns(*names, right=(*_FIGURES, "REV"))
    for row in rows:
        table.add_row(*(row.get(name, "") for name in names))
    return table


def _rows(status: pb.ServiceStatus, now: float) -> Iterator[Row]:
    for environment in ENVIRONMENTS:
        here = [each for each in status.deployments if each.environment == environment]
        for each in here:
            yield _deployment(each, now)
        if all(each.status in OVER for each in here):
            yield {"ENVIRONMENT": environment, "VERSION": "-", "REV": "-", "STATUS": "empty"}


def _deployment(each: pb.Deployment, now: float) -> Row:
    left = f", {span(each.deadline_at - now)} left" if each.deadline_at and each.status not in OVER else ""
    return {
        "ENVIRONMENT": each.environment,
        "VERSION": each.version,
        "REV": str(each.revision),
        "STATUS": Text(each.status + left, _COLOURS.get(each.status, "")),
        "SET": f"{each.set_percent} %",
        "ACKED": f"{each.acknowledged_by}/{each.proxies}",
        "OBSERVED": f"{number(each.observed_percent)} %" if each.observed_percent >= 0 else "-",
        "REQ/S": number(each.requests_per_second),
        "ACTIVE": f"{each.active_requests}{'+?' if each.silent_proxies else ''}",
        "5XX": Text(str(each.failures), "red" if each.failures else ""),
        "P99 MS": number(each.p99_ms),
        "SINCE": f"{span(now - each.status_since)}",
    }


def _rollout(status: pb.ServiceStatus, now: float) -> Text:
    rollout = status.rollout
    line = Text(f"Rollout {rollout.id} ({rollout.kind} {candidate(status)}): ")
    line.append(rollout.state, _COLOURS.get(rollout.state, ""))
    if rollout.reason:
        line.append(f", {printable(rollout.reason)}")
    if rollout.finished_at:
        return line.append(f", {span(now - rollout.finished_at)} ago{_speed(rollout)}")
    steps = ", ".join(
        f"[{each}]" if index == rollout.step else f"{each}" for index, each in enumerate(rollout.steps)
    )
    line.append(f" at {rollout.percent} % of {steps}")
    holds = rollout.state == "holding"
    if holds and rollout.approval_wanted and rollout.hold_until <= now:
        line.append(", until that is approved")
    elif rollout.hold_until:
        line.append(f", goes on in {span(rollout.hold_until - now)}")
    elif holds:
        line.append(", until it is promoted")
    return line.append(_speed(rollout))


def _speed(rollout: pb.Rollout) -> str:
    if not rollout.seconds_to_last_ack:
        return ""
    last, skew = rollout.seconds_to_last_ack * 1000, rollout.skew_seconds * 1000
    harm = since_first_bad(rollout)
    return f"; last acknowledgement after {last:.0f} ms, skew {skew:.0f} ms{harm and '; '}{harm}"


def _migrations(status: pb.ServiceStatus, now: float) -> list[RenderableType]:
    lines = [*migration_lines(status, now)]
    return [Text(), Text("Migrations", "bold"), *lines] if lines else []


def _lagging(status: pb.ServiceStatus) -> Iterator[Text]:
    """Each proxy that something may wait for, and why."""
    if not status.proxies:
        yield Text("No proxy of its gateways has been seen yet.", "yellow")
    for proxy in status.proxies:
        reasons = list(_reasons(proxy))
        if reasons:
            yield Text(f"Proxy {proxy.proxy} ({proxy.gateway}): {printable('; '.join(reasons))}", "yellow")


def _reasons(proxy: pb.ProxyView) -> Iterator[str]:
    if not proxy.connected:
        yield "not connected, what it has under way is not known"
    elif proxy.silent:
        yield "has reported no figures of late"
    if proxy.has_namesake:
        yield "another Envoy has the same node id, and their figures are mixed: give each its own"
    if proxy.rejected:
        yield f"refuses it: {proxy.rejected}"
    if proxy.listener_rejected:
        yield f"refuses its gateway's listeners, and goes on with those it had: {proxy.listener_rejected}"
    if not proxy.acknowledged:
        yield "has not acknowledged the present weights"
    for each in proxy.backends:
        if each.warming:
            yield f"revision {each.revision} is warming"
        if 0 <= each.healthy < each.expected:
            yield f"revision {each.revision}: {each.healthy} of {each.expected} healthy"
