"""How many instances a deployment is to have, and which of them are to go. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from math import ceil

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.deployment import Deployment, Status
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.event import What
from bluegreen.model.pool import Instance, InstanceState, Pool
from bluegreen.model.provisioning import FULL, EndpointsFile
from bluegreen.rollout.draft import Draft
from bluegreen.rollout.wanted_traffic import awaits_hooks

TAKING_TRAFFIC = (Status.READY, Status.SHIFTING, Status.ACTIVE)

NOT_WELL = (InstanceState.WAITING, InstanceState.FAILED)


def pools_of(aggregate: ServiceAggregate) -> Iterable[Pool]:
    """What is wanted of whoever provides instances: the same after a restart."""
    for deployment in aggregate.deployments:
        provisioning = deployment.provisioning
        if provisioning is None or not deployment.has_instances or awaits_hooks(aggregate, deployment):
            continue
        yield Pool(
            service=aggregate.name,
            environment=deployment.environment,
            revision=deployment.revision,
            version=deployment.version,
            source=provisioning.source,
            capacity=deployment.capacity if deployment.is_held else 0,
            leaving=deployment.gone if deployment.leaving_since is None else (),
        )


def take_in(draft: Draft, revision: int, instances: Sequence[Instance]) -> str:
    """What the provisioner reports: from now on these are the instances, and requests go to those of them
    that are up."""
    deployment = draft.aggregate.deployment(revision)
    source = deployment.provisioning.source if deployment.provisioning else None
    if not instances and isinstance(source, EndpointsFile):
        # A file that is not there says nothing, also after a restart: whoever is known stays.
        return "Nothing is known of the instances."
    there = {each.id for each in instances}
    changed = replace(
        deployment,
        instances=tuple(instances),
        endpoints=_in_use(instances, deployment.gone),
        leaving=tuple(each for each in deployment.leaving if each in there),
        gone=tuple(each for each in deployment.gone if each in there),
        # What could not be done before is done: the words of that say nothing any more.
        note="" if deployment.status in TAKING_TRAFFIC else deployment.note,
    )
    if changed == deployment:
        return "Nothing has changed."
    sentence = f"{_where(deployment)}: {describe(changed)}."
    draft.replace(changed)
    before, after = len(deployment.endpoints), len(changed.endpoints)
    draft.record(What.INSTANCES_CHANGED, sentence, before=str(before), after=str(after), deployment=revision)
    return sentence


def scale_to(draft: Draft, deployment: Deployment, capacity: int, why: str) -> None:
    """Want another number of instances. Those that are too many leave: the newest first."""
    staying = [each for each in deployment.instances if each.id not in deployment.leaving]
    surplus = [each.id for each in staying[capacity:]]
    changed = replace(
        deployment,
        capacity=capacity,
        leaving=(*deployment.leaving, *surplus),
        leaving_since=draft.now if surplus else deployment.leaving_since,
    )
    draft.replace(changed)
    sentence = f"{_where(deployment)} shall have {count(capacity)} (now {deployment.capacity}): {why}."
    draft.record(
        What.SCALED,
        sentence,
        before=str(deployment.capacity),
        after=str(capacity),
        deployment=deployment.revision,
    )


def scale_up(draft: Draft, deployment: Deployment) -> None:
    """Have all of its instances back, of one that rests with a part of them."""
    if deployment.capacity < deployment.full_capacity:
        scale_to(draft, deployment, deployment.full_capacity, "it is to take the traffic")


def let_go(draft: Draft, deployment: Deployment) -> str:
    """Take those that leave from the proxies altogether: they may be stopped once that is acknowledged."""
    changed = replace(
        deployment,
        gone=deployment.leaving,
        leaving_since=draft.now,
        endpoints=_in_use(deployment.instances, deployment.leaving),
    )
    draft.replace(changed)
    sentence = f"{_where(deployment)}: {count(len(deployment.leaving))} taken from the proxies."
    draft.record(What.LEAVING, sentence, deployment=deployment.revision)
    return sentence


def let_stop(draft: Draft, deployment: Deployment) -> str:
    """No proxy knows them any more: they may be stopped."""
    draft.replace(replace(deployment, leaving_since=None))
    sentence = f"{_where(deployment)}: {count(len(deployment.gone))} may be stopped, no proxy knows them."
    draft.record(What.LEAVING, sentence, deployment=deployment.revision)
    return sentence


def standby_capacity(deployment: Deployment) -> int:
    """How many instances are kept once the warm time is over."""
    if deployment.provisioning is None:
        return 0
    return ceil(deployment.full_capacity * deployment.provisioning.standby_capacity / FULL)


def describe(deployment: Deployment) -> str:
    """How the instances are, such as "2 of 3 instances are up, 1 leaves; 7f3a: exited with status 1"."""
    staying = [each for each in deployment.instances if each.id not in deployment.leaving]
    up = sum(each.state is InstanceState.UP for each in staying)
    leaving = len(deployment.instances) - len(staying)
    notes = [f"{each.id}: {each.note}" for each in deployment.instances if each.state in NOT_WELL]
    shown = "; ".join(notes[:3]) + (f"; and {len(notes) - 3} more" if len(notes) > 3 else "")
    what = f"{up} of {count(deployment.capacity)} {'is' if deployment.capacity == 1 else 'are'} up"
    if leaving:
        what += f", {leaving} leave{'s' if leaving == 1 else ''}"
    return f"{what}; {shown}" if notes else what


def count(instances: int) -> str:
    return f"{instances} instance{'' if instances == 1 else 's'}"


def _in_use(instances: Sequence[Instance], gone: Collection[str]) -> tuple[Endpoint, ...]:
    return tuple(
        each.endpoint for each in instances if each.state is InstanceState.UP and each.id not in gone
    )


def _where(deployment: Deployment) -> str:
    return f"{deployment.version} on {deployment.environment}"
