"""What to do next about one service: pure, from what is decided, what the proxies say, and the time.

`decide` returns the most urgent step as a change to record, or what it waits for. The controller records the
change, tells the switch, and asks again: so a process killed between any two of these goes on from the same
facts to the same step.
"""

from __future__ import annotations

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.event import CONTROLLER
from bluegreen.model.traffic_report import TrafficReport
from bluegreen.rollout.analysis.observation import Observation
from bluegreen.rollout.deployment_decision import decide_deployment
from bluegreen.rollout.draft import Change, Draft
from bluegreen.rollout.gate_decision import act_on_analysis
from bluegreen.rollout.look import Look, Wait
from bluegreen.rollout.migration_decision import decide_migration
from bluegreen.rollout.pool_decision import follow_count, replace_failed
from bluegreen.rollout.rollout_decision import decide_rollout


def decide(
    aggregate: ServiceAggregate,
    report: TrafficReport,
    now: float,
    *,
    no_deadline_before: float = 0.0,
    observation: Observation | None = None,
) -> Change | Wait:
    """The next step. The open rollout comes first, then migrations, then the deployments from the oldest on.

    No deadline for the proxies ends before `no_deadline_before`: after a start they need a moment to be heard
    again, and what passed while nobody listened says nothing about them. `observation` is what was seen of
    the version that is being watched, if one is.
    """
    look = Look(report, now, no_deadline_before, observation)
    waits: list[Wait] = []
    if aggregate.open_rollout is not None:
        step = decide_rollout(aggregate, aggregate.open_rollout, look)
        if isinstance(step, Change):
            return step
        waits.append(step)
    else:
        acted = act_on_analysis(Draft(aggregate, now, CONTROLLER, report), look)
        if acted is not None:
            return acted
        followed = follow_count(Draft(aggregate, now, CONTROLLER))
        if followed is not None:
            return followed
    migration = decide_migration(aggregate, look)
    if isinstance(migration, Change):
        return migration
    if migration is not None:
        waits.append(migration)
    for deployment in aggregate.deployments:
        for following in (
            replace_failed(Draft(aggregate, now, CONTROLLER), deployment),
            decide_deployment(aggregate, deployment, look),
        ):
            if isinstance(following, Change):
                return following
            if following is not None:
                waits.append(following)
    return _first_wait(aggregate, waits)


def _first_wait(aggregate: ServiceAggregate, waits: list[Wait]) -> Wait:
    if not waits:
        active = aggregate.active
        return Wait(
            f"{active.version} on {active.environment} is active." if active else "Nothing is deployed."
        )
    deadlines = [each.until for each in waits if each.until is not None]
    return Wait(waits[0].sentence, min(deadlines, default=None), any(each.urgent for each in waits))
