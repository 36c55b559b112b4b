"""Whether the two environments are the same, as far as that can be seen. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from bluegreen.model.deployment import Deployment
from bluegreen.model.errors import Refused
from bluegreen.model.event import What
from bluegreen.model.service import BY_PROVISIONER, HealthCheck, HealthCheckType
from bluegreen.rollout.draft import Draft


@dataclass(frozen=True, slots=True)
class Disparity:
    """What differs, and how it is in the active and in the other environment."""

    what: str
    active: str
    other: str


def disparities(active: Deployment, other: Deployment) -> list[Disparity]:
    """What would be different after the switch, beside the version."""
    compared = (
        ("instances", str(active.expected), str(other.expected)),
        ("ports", _ports(active), _ports(other)),
        ("protocol", active.upstream.protocol.value, other.upstream.protocol.value),
        ("limits", _limits(active), _limits(other)),
        ("health check", _health_check(active.health_check), _health_check(other.health_check)),
        ("provided by", _source(active), _source(other)),
    )
    found = [Disparity(*each) for each in compared if each[1] != each[2]]
    # Where both environments share hosts, or ports are given out one by one, they have to differ.
    ports_may_differ = _share_hosts(active, other) or _has_free_ports(active) or _has_free_ports(other)
    return [each for each in found if each.what != "ports" or not ports_may_differ]


def require(draft: Draft, active: Deployment, candidate: Deployment, *, force: bool) -> None:
    found = disparities(active, candidate)
    if not found:
        return
    table = describe(found, active, candidate)
    if not force:
        raise Refused(
            f"The two environments differ:\n{table}\n",
            "Make them the same, or take it on with promote --force --reason.",
        )
    if not draft.reason:
        raise Refused("To promote in spite of a difference, say why.", "Give it with --reason.")
    draft.record(What.DISPARITY, f"Taken on by {draft.asked_by}: the environments differ:\n{table}")


def describe(found: list[Disparity], active: Deployment, other: Deployment) -> str:
    """A table, for a terminal."""
    head = ("", f"{active.version} on {active.environment}", f"{other.version} on {other.environment}")
    rows = [head, *((each.what, each.active, each.other) for each in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _ports(deployment: Deployment) -> str:
    return ", ".join(str(port) for port in sorted({each.port for each in deployment.endpoints}))


def _limits(deployment: Deployment) -> str:
    upstream = deployment.upstream
    return f"{upstream.max_connections} connections, {upstream.max_requests} requests"


def _health_check(check: HealthCheck | None) -> str:
    if check is None:
        return "none"
    if check == BY_PROVISIONER:
        return "by the provisioner"
    what = f"{check.type} {check.path}" if check.type is HealthCheckType.HTTP else str(check.type)
    return f"{what} every {check.interval:g} s"


def _source(deployment: Deployment) -> str:
    return deployment.provisioning.source.type if deployment.provisioning else "hand"


def _share_hosts(one: Deployment, other: Deployment) -> bool:
    return bool({each.host for each in one.endpoints} & {each.host for each in other.endpoints})


def _has_free_ports(deployment: Deployment) -> bool:
    return deployment.provisioning is not None or len({each.port for each in deployment.endpoints}) > 1
