"""The two environments as a person sees them: their instances, who finds them healthy, how they differ."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bluegreen.admin.cli.goals import OVER, find_deployment, provided
from bluegreen.admin.cli.output import columns, printable, span
from bluegreen.admin.v1 import admin_pb2 as pb

ENVIRONMENTS = ("blue", "green")

SERVING = ("ready", "shifting", "active")

_COLOURS = {
    "active": "green",
    "ready": "green",
    "shifting": "cyan",
    "expanding": "cyan",
    "deploying": "cyan",
    "draining": "yellow",
    "up": "green",
    "starting": "cyan",
    "waiting": "yellow",
    "unhealthy": "yellow",
    "stopping": "yellow",
    "failed": "red",
}


def environments_view(status: pb.ServiceStatus, now: float) -> RenderableType:
    """`now` is seconds since the epoch. The status tells of each instance."""
    parts: list[RenderableType] = [_capacities(status)]
    if any(each.instances for each in status.deployments):
        parts += [Text(), _instances(status, now)]
    if status.deployments:
        parts += [Text(), Text("Healthy instances, as each proxy counts them", "bold"), _health(status)]
    parts += [Text(), *_parity(status), *way_back_lines(status), *_failures(status)]
    return Group(*parts)


def environment_lines(status: pb.ServiceStatus) -> Iterator[Text]:
    """What a status says of them: only where something is not as it is meant to be."""
    for each in status.deployments:
        if each.status not in (*OVER, "expanding") and not is_complete(each):
            yield Text(printable(f"{where(each)}: {each.capacity.summary}"), "yellow")
    if status.disparities:
        what = printable(", ".join(each.what for each in status.disparities))
        yield Text(f"The environments differ: {what} (bluegreen environments {status.service})", "yellow")
    yield from way_back_lines(status)
    yield from _failures(status)


def _failures(status: pb.ServiceStatus) -> Iterator[Text]:
    """What the provisioner said when it could not have the instances of a version that is there to serve, or
    what it said that could not be."""
    for each in status.deployments:
        if each.status in SERVING and each.note:
            how = "keeps the instances that it has" if is_complete(each) else "lacks instances"
            yield Text(printable(f"{where(each)} {how}: {each.note}"), "red")


def way_back_lines(status: pb.ServiceStatus) -> Iterator[Text]:
    """What a rollback would have to do first."""
    if not status.HasField("rollback_scale_up"):
        return
    scale_up = status.rollback_scale_up
    deployment = find_deployment(status, scale_up.deployment_revision)
    name = where(deployment) if deployment else f"revision {scale_up.deployment_revision}"
    numbers = f"{scale_up.from_instances} to {scale_up.to_instances} instances"
    seconds = deployment.capacity.scale_up_seconds if deployment else 0.0
    took = f"; its last scale-up took {seconds:.1f} s" if seconds else ""
    yield Text(printable(f"Way back: rollback scales up {numbers} first, {name}{took}"))


def is_complete(deployment: pb.Deployment) -> bool:
    """Whether it has the instances that are wanted; of those that were handed in nobody knows."""
    capacity = deployment.capacity
    return not provided(deployment) or (capacity.up >= capacity.wanted and not capacity.leaving)


def where(deployment: pb.Deployment) -> str:
    return f"{deployment.version} on {deployment.environment}"


def _capacities(status: pb.ServiceStatus) -> Table:
    counts = ("UP", "WANTED", "FULL", "LEAVING")
    table = columns(
        "ENVIRONMENT", "VERSION", "REV", "STATUS", *counts, "PROVIDED BY", "SCALE-UP", right=(*counts, "REV")
    )
    for environment in ENVIRONMENTS:
        here = [each for each in status.deployments if each.environment == environment]
        for each in here:
            table.add_row(*_capacity(each))
        if all(each.status in OVER for each in here):
            table.add_row(environment, "-", "-", "empty")
    return table


def _capacity(each: pb.Deployment) -> Iterator[str | Text]:
    capacity = each.capacity
    yield each.environment
    yield each.version
    yield str(each.revision)
    yield Text(each.status, _COLOURS.get(each.status, ""))
    yield "-" if capacity.up < 0 else Text(str(capacity.up), "" if is_complete(each) else "yellow")
    yield str(capacity.wanted)
    yield str(capacity.full)
    yield str(capacity.leaving) if provided(each) else "-"
    yield capacity.provided_by
    yield f"{capacity.scale_up_seconds:.1f} s" if capacity.scale_up_seconds else "-"


def _instances(status: pb.ServiceStatus, now: float) -> Table:
    names = ("ENVIRONMENT", "REV", "INSTANCE", "ENDPOINT", "STATE", "SINCE", "RESTARTS", "NOTE")
    table = columns(*names, right=("REV", "RESTARTS"))
    for environment in ENVIRONMENTS:
        for deployment in status.deployments:
            if deployment.environment != environment:
                continue
            for each in deployment.instances:
                table.add_row(environment, str(deployment.revision), *_instance(each, now))
    return table


def _instance(each: pb.Instance, now: float) -> Iterator[str | Text]:
    yield printable(each.id) or "-"
    yield each.endpoint
    state = f"{each.state}, leaves" if each.leaving else each.state
    yield Text(state or "-", _COLOURS.get(each.state, "") if not each.leaving else "yellow")
    yield span(now - each.since) if each.since else "-"
    yield str(each.restarts) if each.id else "-"
    yield printable(each.note)


def _health(status: pb.ServiceStatus) -> Table:
    held = [each for each in status.deployments if not each.released]
    table = columns("PROXY", "GATEWAY", *(printable(where(each)) for each in held))
    for proxy in status.proxies:
        backends = {each.revision: each for each in proxy.backends}
        table.add_row(
            proxy.proxy, proxy.gateway, *(_seen(proxy, backends.get(each.revision)) for each in held)
        )
    if not status.proxies:
        table.add_row("none", "-", *("-" for _ in held))
    return table


def _seen(proxy: pb.ProxyView, backend: pb.BackendView | None) -> Text:
    if backend is None:
        return Text("-")
    if backend.healthy < 0:
        return Text("not known: not connected" if not proxy.connected else "not reported", "yellow")
    warming = ", warming" if backend.warming else ""
    colour = "yellow" if backend.healthy < backend.expected or warming else ""
    return Text(f"{backend.healthy} of {backend.expected}{warming}", colour)


def _parity(status: pb.ServiceStatus) -> Iterator[RenderableType]:
    active = next((each for each in status.deployments if each.status == "active"), None)
    others = (each for each in status.deployments if each.status not in OVER and each.status != "active")
    other = next(others, None)
    if active is None or other is None:
        yield Text(
            "There is nothing to compare: it takes an active version, and one in the other environment."
        )
    elif not status.disparities:
        yield Text(printable(f"{where(active)} and {where(other)} are alike, as far as that can be seen."))
    else:
        yield Text("The environments differ", "yellow")
        table = columns("WHAT", printable(where(active)), printable(where(other)))
        for each in status.disparities:
            table.add_row(each.what, printable(each.active), printable(each.other))
        yield table
