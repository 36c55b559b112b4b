"""How many instances a deployment is to have, and which of them are to go. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import ceil

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.deployment import Deployment, Status
from bluegreen.model.event import What
from bluegreen.model.pool import IN_USE, Instance, InstanceState, Pool
from bluegreen.model.provisioning import FULL, EndpointsFile
from bluegreen.rollout.draft import Draft
from bluegreen.rollout.endpoint_claims import shared_with_other, standing_twice
from bluegreen.rollout.unused import is_listed, set_aside
from bluegreen.rollout.wanted_traffic import is_kept_back

TAKING_TRAFFIC = (Status.READY, Status.SHIFTING, Status.ACTIVE)

_SINCE = " Since then: "

NOT_WELL = (InstanceState.WAITING, InstanceState.FAILED, InstanceState.UNHEALTHY)

SHOWN = 3
"""Of what instances have in common, or of those that have it in common."""


def pools_of(aggregate: ServiceAggregate) -> Iterable[Pool]:
    """What is wanted of whoever provides instances: the same after a restart."""
    for deployment in aggregate.deployments:
        if deployment.has_instances and not is_kept_back(aggregate, deployment):
            yield pool_of(aggregate.name, deployment)


def pool_of(service: str, deployment: Deployment) -> Pool:
    """Of a deployment whose instances are provided, also of one that is over."""
    if deployment.provisioning is None:
        raise ValueError(f"the instances of {service}, revision {deployment.revision}, were handed in")
    return Pool(
        service=service,
        environment=deployment.environment,
        revision=deployment.revision,
        version=deployment.version,
        source=deployment.provisioning.source,
        capacity=deployment.capacity if deployment.is_held else 0,
        leaving=deployment.gone if deployment.leaving_since is None and not is_listed(deployment) else (),
    )


def take_in(draft: Draft, revision: int, instances: Sequence[Instance]) -> str:
    """What the provisioner reports: from now on these are the instances, and requests go to those of them
    that are up. Where it contradicts what is known, nothing of it is taken."""
    deployment = draft.aggregate.deployment(revision)
    source = deployment.provisioning.source if deployment.provisioning else None
    if not instances and isinstance(source, EndpointsFile):
        # A file that is not there says nothing, also after a restart: whoever is known stays.
        return "Nothing is known of the instances."
    there = {each.id for each in instances}
    changed = replace(
        deployment,
        instances=_with_failures_dated(deployment, instances, draft.now),
        leaving=tuple(each for each in deployment.leaving if each in there),
        gone=tuple(each for each in deployment.gone if each in there),
        # What could not be done before is done: the words of that say nothing any more.
        note="" if deployment.status in TAKING_TRAFFIC else deployment.note,
    )
    changed = _in_service(set_aside(changed))
    if changed == deployment:
        return "Nothing has changed."
    shared = shared_with_other(draft.aggregate, changed)
    if shared and deployment.status is Status.DEPLOYING:
        return _fail_with_instances_of_another(draft, deployment, shared)
    contradiction = shared or standing_twice(changed)
    if contradiction:
        return cannot(draft, revision, contradiction) if deployment.status.is_open else contradiction
    sentence = f"{_where(deployment)}: {describe(changed)}."
    draft.replace(changed)
    before, after = str(deployment.up), str(changed.up)
    draft.record(What.INSTANCES_CHANGED, sentence, before=before, after=after, deployment=revision)
    return sentence


def cannot(draft: Draft, revision: int, reason: str) -> str:
    """The instances cannot be had: a deployment that is not ready yet fails with that, any other keeps what
    it has, and it is tried again."""
    deployment = draft.aggregate.deployment(revision)
    sentence = f"The instances of revision {revision} cannot be provided: {reason}"
    note = _noted(deployment, reason)
    if deployment.note == note:
        return sentence
    if deployment.status is Status.DEPLOYING:
        draft.transition(revision, What.FAILED, sentence, note=reason)
    else:
        draft.note(revision, What.INSTANCES_CHANGED, sentence, note=note)
    return sentence


def _noted(deployment: Deployment, reason: str) -> str:
    """Why a version has failed is not forgotten for what goes wrong afterwards, such as its end."""
    if deployment.status is not Status.FAILED:
        return reason
    return f"{deployment.note.partition(_SINCE)[0]}{_SINCE}{reason}"


def _fail_with_instances_of_another(draft: Draft, deployment: Deployment, reason: str) -> str:
    """Whoever has given them would end them too, if it was told that this version is over. So it is not."""
    note = f"{reason} Nothing is stopped of what there is: it may be theirs."
    sentence = f"The instances of revision {deployment.revision} cannot be provided: {note}"
    draft.transition(deployment.revision, What.FAILED, sentence, note=note, stopped_at=draft.now)
    return sentence


def scale_to(draft: Draft, deployment: Deployment, capacity: int, why: str) -> None:
    """Want another number of instances. Those that are too many leave: who is not up, then the newest."""
    staying = [each for each in deployment.instances if each.id not in deployment.leaving]
    staying.sort(key=lambda each: each.state is not InstanceState.UP)
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


def resize(draft: Draft, deployment: Deployment, instances: int, why: str) -> None:
    """Have another number of instances at full capacity. A standby that rests keeps its part of it."""
    rests = deployment.status is Status.STANDBY and deployment.capacity < deployment.full_capacity
    changed = replace(deployment, full_capacity=instances)
    draft.replace(changed)
    capacity = standby_capacity(changed) if rests else instances
    if capacity != deployment.capacity:
        scale_to(draft, changed, capacity, why)


def scale_up(draft: Draft, deployment: Deployment) -> None:
    """Have all of its instances back, of one that rests with a part of them."""
    if deployment.capacity < deployment.full_capacity:
        scale_to(draft, deployment, deployment.full_capacity, "it is to take the traffic")


def give_up(draft: Draft, deployment: Deployment, failed: Sequence[str]) -> str:
    """Let instances go that could not be had, for others to take their place. No proxy knows them."""
    draft.replace(replace(deployment, leaving=tuple(failed), leaving_since=draft.now))
    what = f"{count(len(failed))} that could not be had {'is' if len(failed) == 1 else 'are'} replaced"
    sentence = f"{_where(deployment)}: {what}: {', '.join(failed[:5])}."
    draft.record(What.LEAVING, sentence, deployment=deployment.revision)
    return sentence


def let_go(draft: Draft, deployment: Deployment) -> str:
    """Take those that leave from the proxies altogether: they may be stopped once that is acknowledged."""
    gone = tuple(dict.fromkeys((*deployment.gone, *deployment.leaving)))
    draft.replace(_in_service(replace(deployment, gone=gone, leaving_since=draft.now)))
    sentence = f"{_where(deployment)}: {count(len(deployment.leaving))} taken from the proxies."
    draft.record(What.LEAVING, sentence, deployment=deployment.revision)
    return sentence


def let_stop(draft: Draft, deployment: Deployment) -> str:
    """No proxy knows them any more: they may be stopped."""
    stopped = replace(deployment, leaving_since=None)
    if is_listed(deployment):
        stopped = _in_service(set_aside(replace(stopped, leaving=())))
    draft.replace(stopped)
    what = count(len(deployment.leaving))
    if is_listed(deployment):
        what += f" ({_ids(deployment.leaving)})"  # somebody has to find it, and to end it
    sentence = f"{_where(deployment)}: {what} may be stopped, no proxy knows them."
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
    notes = _notes([each for each in deployment.instances if _is_unwell(each)])
    if deployment.provisioning and not deployment.instances:
        notes = [f"its {deployment.provisioning.source.type} has told of none"]
    shown = "; ".join(notes[:SHOWN]) + (f"; and {len(notes) - SHOWN} more" if len(notes) > SHOWN else "")
    what = f"{up} of {count(deployment.capacity)} {'is' if deployment.capacity == 1 else 'are'} up"
    if leaving:
        what += f", {leaving} leave{'s' if leaving == 1 else ''}"
    return f"{what}; {shown}" if notes else what


def _notes(unwell: Sequence[Instance]) -> list[str]:
    """A line for each trouble, with those that are in it: many have the same one at the same time."""
    by_note: dict[str, list[str]] = {}
    for each in unwell:
        by_note.setdefault(_in_a_line(each.note) or each.state, []).append(each.id)
    return [f"{_ids(ids)}: {note}" for note, ids in by_note.items()]


def _in_a_line(note: str) -> str:
    """The trouble, and of what was said last the last line: that is where programs say why they end."""
    trouble, *said = note.splitlines() or [""]
    return f"{trouble} {said[-1]}" if said else trouble


def _ids(ids: Sequence[str]) -> str:
    return ", ".join(ids[:SHOWN]) + (f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else "")


def _is_unwell(instance: Instance) -> bool:
    """Whether there is something to say of it. One that starts may have ended before, or take its time."""
    is_slow = instance.state is InstanceState.STARTING and instance.note != ""
    return instance.state in NOT_WELL or is_slow


def count(instances: int) -> str:
    return f"{instances} instance{'' if instances == 1 else 's'}"


def _with_failures_dated(
    before: Deployment, instances: Sequence[Instance], now: float
) -> tuple[Instance, ...]:
    """The instances, of which those that cannot be had are so since that was first heard."""
    since = {each.id: each.since for each in before.instances if each.state is InstanceState.FAILED}
    return tuple(
        replace(each, since=since.get(each.id, now)) if each.state is InstanceState.FAILED else each
        for each in instances
    )


def _in_service(deployment: Deployment) -> Deployment:
    """With the endpoints of those instances that the proxies are to know."""
    left_out = set(deployment.gone)
    used = (each for each in deployment.instances if each.state in IN_USE and each.id not in left_out)
    return replace(deployment, endpoints=tuple(each.endpoint for each in used))


def _where(deployment: Deployment) -> str:
    return f"{deployment.version} on {deployment.environment}"
