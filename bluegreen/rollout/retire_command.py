"""What an operator asks for with `retire`: the end of a service's last version, without another in its place.
Pure."""

from __future__ import annotations

from bluegreen.model.deployment import Deployment, Status
from bluegreen.model.errors import Refused
from bluegreen.model.event import What
from bluegreen.model.traffic_report import RequestFigures, TrafficReport
from bluegreen.rollout.draft import Draft
from bluegreen.rollout.migration_guards import refuse_while_migrating
from bluegreen.rollout.refusals import possible, why_busy
from bluegreen.rollout.standing import Standing, loser_of, require

_ENDED_BY = {
    Status.EXPANDING: What.FAILED,
    Status.DEPLOYING: What.FAILED,
    Status.READY: What.SUPERSEDED,
    Status.ACTIVE: What.RETIRED,
    Status.DRAINING: What.RETIRED,
    Status.STANDBY: What.RETIRED,
}


def retire(draft: Draft, *, confirmed: bool, expected: Standing | None = None) -> str:
    """End every version of the service, the active one too; the gateways then know no route to it.

    What is under way is finished first: each version is drained, withdrawn and released as any is that is
    over.
    Without `confirmed` it is refused as long as a version has the production traffic.
    """
    aggregate = draft.aggregate
    if aggregate.open_rollout is not None:
        raise Refused(why_busy(aggregate, aggregate.open_rollout), possible(aggregate))
    refuse_while_migrating(draft, but_backfill=True)
    held = [each for each in aggregate.deployments if each.status.is_open]
    if not held:
        return f"{aggregate.name} has no version: there is nothing to retire."
    require(aggregate, expected, loser_of)
    active = aggregate.active
    if active is not None and not confirmed:
        raise Refused(
            f"{active.version} on {active.environment} has the production traffic of {aggregate.name}: "
            f"{_load(draft.report, active)}. Retired, it is gone for good, and these requests are answered "
            "with 404.",
            "Possible: retire --yes; promote or rollback to another version; status.",
        )
    draft.give_to_nobody()
    note = f"retired by {draft.asked_by}"
    for each in held:
        sentence = f"{each.version} (revision {each.revision}) on {each.environment} ends with the service."
        draft.transition(each.revision, _ENDED_BY[each.status], sentence, note=note)
    what = ", ".join(f"{each.version} on {each.environment} ({each.status})" for each in held)
    return f"{aggregate.name} is taken out of its gateways: {what}."


def _load(report: TrafficReport, deployment: Deployment) -> str:
    figures = report.figures.get(deployment.revision, RequestFigures())
    return f"{figures.per_second:.1f} requests/s, {figures.active} under way"
