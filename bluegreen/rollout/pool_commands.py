"""What is asked of instances, and what comes back from whoever provides them. Pure, as `commands` is."""

from __future__ import annotations

from collections.abc import Sequence

from bluegreen.model.deployment import Deployment
from bluegreen.model.errors import Refused
from bluegreen.model.event import What
from bluegreen.model.pool import Instance
from bluegreen.model.provisioning import ProcessTemplate
from bluegreen.rollout import pools
from bluegreen.rollout.draft import Draft
from bluegreen.rollout.refusals import possible, why_busy

MOST_INSTANCES = 10_000
MOST_PROCESSES = 1_000
"""Of one machine."""


def scale(draft: Draft, *, instances: int) -> str:
    """Have both environments have this many instances, now and after the next deployment.

    A standby that rests with a part of them keeps that part of the new number.
    """
    aggregate = draft.aggregate
    provided = [each for each in aggregate.deployments if each.status.is_open and each.provisioning]
    if not provided:
        raise Refused(
            f"The instances of {aggregate.name} are handed in: there is nothing to scale.",
            f"Write services.{aggregate.name}.instances into the service file, or deploy with --endpoint.",
        )
    if not 1 <= instances <= MOST_INSTANCES:
        raise Refused(f"An environment has 1 to {MOST_INSTANCES} instances, not {instances}.")
    if instances > MOST_PROCESSES and any(_are_processes(each) for each in provided):
        raise Refused(
            f"Each instance is a process of one machine: at most {MOST_PROCESSES}, not {instances}."
        )
    if aggregate.open_rollout is not None:
        raise Refused(why_busy(aggregate, aggregate.open_rollout), possible(aggregate))
    why = f"asked by {draft.asked_by}"
    for deployment in provided:
        pools.resize(draft, deployment, instances, why)
    return f"{aggregate.name} shall have {pools.count(instances)} an environment."


def take_in(draft: Draft, *, revision: int, instances: Sequence[Instance]) -> str:
    """What there is of a deployment's instances, as whoever provides them says."""
    if _known(draft, revision) is None:
        return f"Revision {revision} is gone."
    return pools.take_in(draft, revision, instances)


def stopped(draft: Draft, *, revision: int) -> str:
    """The last instance of a deployment that was released is gone."""
    deployment = _known(draft, revision)
    if deployment is None or deployment.is_held or deployment.stopped_at is not None:
        return f"Revision {revision} is not waited for."
    sentence = f"The instances of {deployment.version} (revision {revision}) are stopped."
    draft.note(revision, What.STOPPED, sentence, stopped_at=draft.now, instances=(), leaving=(), gone=())
    return sentence


def cannot(draft: Draft, *, revision: int, reason: str) -> str:
    """Whoever provides the instances has failed."""
    if _known(draft, revision) is None:
        return f"Revision {revision} is gone."
    return pools.cannot(draft, revision, reason)


def _are_processes(deployment: Deployment) -> bool:
    provisioning = deployment.provisioning
    return provisioning is not None and isinstance(provisioning.source, ProcessTemplate)


def _known(draft: Draft, revision: int) -> Deployment | None:
    return next((each for each in draft.aggregate.deployments if each.revision == revision), None)
