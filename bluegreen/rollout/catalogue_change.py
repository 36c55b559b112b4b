"""What an `apply` changes, and whether it may. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.catalogue import Catalogue, Difference
from bluegreen.model.conflicts import conflicts
from bluegreen.model.difference import difference
from bluegreen.model.errors import InvalidInput, Refused
from bluegreen.model.event import Event, Origin, What
from bluegreen.model.gateway import Gateway
from bluegreen.model.service import Service
from bluegreen.model.store import CatalogueChange
from bluegreen.rollout.migrations import describe_run


@dataclass(frozen=True, slots=True)
class PlannedApply:
    """The differences for a person, and the change for the store."""

    differences: Sequence[Difference]
    change: CatalogueChange

    def events(self, now: float, origin: Origin) -> list[Event]:
        """One event per gateway or service that changes, with all its differences in one sentence."""
        by_entry: dict[tuple[str, str], list[str]] = {}
        for each in self.differences:
            section, name = each.path.split(".", 2)[:2]
            values = f"{each.before} -> {each.after}" if each.before or each.after else ""
            by_entry.setdefault((section, name), []).append(f"{each.kind} {each.path} {values}".rstrip())
        return [
            Event(
                at=now,
                service=name if section == "services" else "",
                what=What.APPLIED,
                origin=origin,
                message="; ".join(lines),
            )
            for (section, name), lines in by_entry.items()
        ]


def plan(
    gateways: Mapping[str, Gateway],
    aggregates: Mapping[str, ServiceAggregate],
    wanted: Catalogue,
    *,
    prune: bool,
    populated: Collection[str] = (),
) -> PlannedApply:
    """Merge the catalogue into what is served; with `prune`, what it does not name goes. `populated` names
    the gateways that have known proxies.

    Raises InvalidInput where the outcome contradicts itself (two services on one path of a domain), and
    Refused where it would pull the ground from under traffic.
    """
    served = Catalogue(gateways, {name: each.service for name, each in aggregates.items()})
    outcome = (
        wanted
        if prune
        else Catalogue({**served.gateways, **wanted.gateways}, {**served.services, **wanted.services})
    )
    faults = conflicts(outcome)
    if faults:
        raise InvalidInput(" ".join(f"{fault.path}: {fault.message}" for fault in faults))
    removed = tuple(sorted(served.services.keys() - outcome.services.keys()))
    changed = tuple(
        service for name, service in sorted(outcome.services.items()) if served.services.get(name) != service
    )
    for name in removed:
        _refuse_removal(aggregates[name])
    for service in changed:
        if service.name in aggregates:
            _refuse_moved_ground(aggregates[service.name], service.gateways, populated)
            _refuse_other_count(aggregates[service.name], service)
            _refuse_other_database(aggregates[service.name], service)
    change = CatalogueChange(
        gateways=tuple(
            gateway for name, gateway in sorted(outcome.gateways.items()) if gateways.get(name) != gateway
        ),
        services=changed,
        removed_gateways=tuple(sorted(gateways.keys() - outcome.gateways.keys())),
        removed_services=removed,
        expected={
            name: aggregates[name].revision
            for name in (*removed, *(service.name for service in changed))
            if name in aggregates
        },
    )
    return PlannedApply(difference(served, outcome), change)


def _refuse_removal(aggregate: ServiceAggregate) -> None:
    run = aggregate.open_run
    if run is not None:
        raise Refused(
            f"{aggregate.name} cannot be removed during the {describe_run(run)}.",
            f"Possible: bluegreen migrations stop {aggregate.name}, then apply again; wait until it is over.",
        )
    held = [each for each in aggregate.deployments if each.status.is_open]
    if held:
        names = ", ".join(f"{each.version} on {each.environment} ({each.status})" for each in held)
        raise Refused(
            f"{aggregate.name} cannot be removed while it has deployments: {names}.",
            f"Possible: bluegreen retire {aggregate.name}, then apply --prune; keep it in the file; apply "
            "without --prune.",
        )
    leaving = [each for each in aggregate.deployments if each.activated_at is not None]
    if leaving:
        names = ", ".join(f"{each.version} (revision {each.revision})" for each in leaving)
        raise Refused(
            f"{aggregate.name} cannot be removed yet: not every proxy has let go of {names}, which had its "
            "traffic.",
            f"Wait until it is: bluegreen status {aggregate.name} says for whom; or apply without --prune.",
        )


def _refuse_moved_ground(
    aggregate: ServiceAggregate, gateways: tuple[str, ...], populated: Collection[str]
) -> None:
    rollout = aggregate.open_rollout
    if rollout is not None and set(gateways) != set(aggregate.service.gateways):
        raise Refused(
            f"The gateways of {aggregate.name} cannot change while rollout {rollout.id} is open.",
            "Possible: promote --full, abort, and apply again.",
        )
    left = sorted((set(aggregate.service.gateways) - set(gateways)) & set(populated))
    if left and aggregate.active is not None:
        raise Refused(
            f"{aggregate.name} is active on gateway {', '.join(left)}: taking it off would answer what still "
            "arrives there with 404.",
            "Stop the proxies of that gateway first and forget them: bluegreen proxies forget.",
        )


def _refuse_other_count(aggregate: ServiceAggregate, wanted: Service) -> None:
    """As `scale` is refused: capacity and traffic do not change at the same time."""
    rollout, before = aggregate.open_rollout, aggregate.service.provisioning
    if rollout is None or before is None or wanted.provisioning is None:
        return
    count = wanted.provisioning.instances
    if count != before.instances:
        raise Refused(
            f"{aggregate.name} cannot go from {before.instances} to {count} instances while rollout "
            f"{rollout.id} is open.",
            "Possible: promote --full, abort, and apply again.",
        )


def _refuse_other_database(aggregate: ServiceAggregate, wanted: Service) -> None:
    """A run that is open goes on with other timeouts and another load, but not elsewhere."""
    run, before, after = aggregate.open_run, aggregate.service.database, wanted.database
    if run is None or before is None:
        return
    if after is None or (after.url, after.migrations) != (before.url, before.migrations):
        raise Refused(
            f"The database of {aggregate.name} cannot change during the {describe_run(run)}.",
            f"Possible: bluegreen migrations stop {aggregate.name}, then apply again; wait until it is over.",
        )
