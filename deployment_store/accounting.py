"""No status changes without the event that accounts for it.

The rules, for one write of an aggregate:

- a deployment that is new begins in an initial status;
- a status that changes is accounted for by exactly one event of the state machine, which says from where and
  to where, and which the table allows;
- an event of the state machine that no change of status answers to is refused as well: it would be a lie;
- a deployment leaves the aggregate by being over and released, never by being left out; nor is a rollout left
  out.
"""

from __future__ import annotations

from collections.abc import Iterable

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.deployment import Deployment
from bluegreen.model.errors import IllegalTransition, Refused
from bluegreen.model.event import Event
from deployment_store.state_machine import INITIAL, TRANSITIONS, next_status

_MOVES = frozenset(what for _, what in TRANSITIONS)


def check_accounts(stored: ServiceAggregate, wanted: ServiceAggregate, events: Iterable[Event]) -> None:
    """Raise IllegalTransition, or Refused where something else is out of order, unless the rules are kept."""
    before = {each.revision: each for each in stored.deployments}
    missing = before.keys() - {each.revision for each in wanted.deployments}
    if missing or (stored.rollout is not None and wanted.rollout is None):
        left_out = f"deployments {sorted(missing)}" if missing else "rollout"
        raise Refused(
            f"A write of {stored.name} leaves out its {left_out}; only the store drops what is over."
        )
    moves = _moves(stored.name, events)
    for deployment in wanted.deployments:
        _check(before.get(deployment.revision), deployment, moves.pop(deployment.revision, None))
    for revision, event in moves.items():
        raise IllegalTransition(
            f"Deployment {revision} of {stored.name} cannot be {event.what}: it is over or unknown."
        )


def _moves(service: str, events: Iterable[Event]) -> dict[int | None, Event]:
    moves: dict[int | None, Event] = {}
    for event in events:
        if event.service != service:
            raise Refused(f"A write of {service} carries an event of {event.service or 'no service'}.")
        if event.what not in _MOVES:
            continue
        if event.deployment in moves:
            raise IllegalTransition(
                f"Deployment {event.deployment} of {service} cannot be {moves[event.deployment].what} and"
                f" {event.what} in one write."
            )
        moves[event.deployment] = event
    return moves


def _check(before: Deployment | None, after: Deployment, move: Event | None) -> None:
    name = f"Deployment {after.revision} of {after.service}"
    if before is None:
        if after.status not in INITIAL or move is not None:
            raise IllegalTransition(
                f"{name} is new and cannot be {after.status}.",
                f"It begins as {' or '.join(sorted(INITIAL))}.",
            )
    elif move is None:
        if after.status is not before.status:
            raise IllegalTransition(
                f"{name} cannot become {after.status} from {before.status} without an event that says so."
            )
    elif (before.status, after.status) != (move.before, move.after) or (
        after.status is not next_status(before.status, move.what)
    ):
        raise IllegalTransition(
            f"{name} is {before.status} and would become {after.status}, but the event {move.what} tells of"
            f" {move.before or 'nothing'} -> {move.after or 'nothing'}."
        )
