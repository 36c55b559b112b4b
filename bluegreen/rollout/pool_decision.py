"""The next step of a deployment's instances: whether there are enough, and who may be stopped. Pure."""

from __future__ import annotations

from dataclasses import replace

from bluegreen.model.deployment import Deployment, Status
from bluegreen.model.event import What
from bluegreen.model.pool import InstanceState
from bluegreen.rollout import pools, proof
from bluegreen.rollout.draft import Change, Draft
from bluegreen.rollout.look import Look, Wait

REPLACE_FAILED_AFTER = 60.0
"""Seconds for which an instance that could not be had is kept, so that an operator sees it, and so that what
fails again and again does so once a minute."""


def follow_count(draft: Draft) -> Change | None:
    """Have as many instances as the service file says, where that has changed since a deployment followed it.
    What `scale` has asked for holds until then."""
    wanted = draft.aggregate.service.provisioning
    if wanted is None or draft.aggregate.open_rollout is not None:
        return None
    sentence = ""
    for deployment in draft.aggregate.deployments:
        provisioning = deployment.provisioning
        if provisioning is None or not deployment.status.is_open:
            continue
        before, after = provisioning.instances, wanted.instances
        if before == after:
            continue
        sentence = f"{draft.aggregate.name} shall have {pools.count(after)} an environment: the service file."
        followed = replace(deployment, provisioning=replace(provisioning, instances=after))
        draft.replace(followed)
        pools.resize(draft, followed, after, f"the service file says {after} instead of {before}")
    return draft.change(sentence) if sentence else None


def decide_instances(draft: Draft, deployment: Deployment, look: Look) -> Change | Wait | None:
    """Take instances that leave from the proxies in two steps, each acknowledged everywhere: first they get
    no new requests, then nobody knows them. Only then are they stopped.
    """
    if deployment.provisioning is None or deployment.leaving_since is None:
        return None
    where = f"{deployment.version} on {deployment.environment}"
    barrier = proof.endpoints_acknowledged(look.report)
    if not barrier.passed and look.report.proxies:
        what = pools.count(len(deployment.leaving))
        return Wait(f"{where}: {what} leave; acknowledged by {barrier}.", urgent=True)
    if set(deployment.leaving) <= set(deployment.gone):
        return draft.change(pools.let_stop(draft, deployment))
    # Nobody counts the requests of a single instance. Those that began before are finished by the instance
    # itself: it is told to stop only after this, and given its own grace.
    until = max(deployment.leaving_since, barrier.last_at or 0.0) + draft.aggregate.service.drain.grace
    if draft.now < until:
        return Wait(f"{where}: instances leave.", until)
    return draft.change(pools.let_go(draft, deployment))


def replace_failed(draft: Draft, deployment: Deployment) -> Change | Wait | None:
    """Let an instance go that could not be had, in a version that was ready once: another one takes its
    place. A version that is not ready yet fails with it instead."""
    failed = [each for each in deployment.instances if each.state is InstanceState.FAILED]
    is_over = not deployment.status.is_open or deployment.status is Status.DEPLOYING
    if not failed or deployment.leaving or is_over:
        return None
    until = min(each.since for each in failed) + REPLACE_FAILED_AFTER
    if draft.now < until:
        return Wait(f"{deployment.version} on {deployment.environment}: {pools.describe(deployment)}.", until)
    return draft.change(pools.give_up(draft, deployment, [each.id for each in failed]))


def are_enough_up(draft: Draft, deployment: Deployment) -> Change | Wait | None:
    """None: as many instances as are wanted say that they listen. A candidate that cannot have them fails."""
    if deployment.provisioning is None:
        return None
    failed = [each for each in deployment.instances if each.state is InstanceState.FAILED]
    if failed:
        note = f"instance {failed[0].id} cannot be had: {failed[0].note}"
        sentence = f"{deployment.version} failed: {note}."
        draft.transition(deployment.revision, What.FAILED, sentence, note=note)
        return draft.change(sentence)
    if deployment.up < deployment.capacity:
        return Wait(f"{deployment.version} on {deployment.environment}: {pools.describe(deployment)}.")
    return None
