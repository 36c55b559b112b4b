"""What an operator asks for with `retry`: what did not come to its end, once more. Pure."""

from __future__ import annotations

from bluegreen.model.deployment import Deployment, Status
from bluegreen.model.errors import Refused
from bluegreen.model.rollout import Outcome
from bluegreen.rollout.commands import promote
from bluegreen.rollout.deploy_command import deploy
from bluegreen.rollout.draft import Draft
from bluegreen.rollout.operations import DeployCommand
from bluegreen.rollout.refusals import possible, why_busy


def retry(draft: Draft, *, newest: Deployment | None) -> str:
    """Do again what did not come to its end: deploy the newest deployment anew if it failed, promote the
    ready one if its rollout was taken back."""
    aggregate = draft.aggregate
    if aggregate.open_rollout is not None:
        raise Refused(why_busy(aggregate, aggregate.open_rollout), possible(aggregate))
    if newest is not None and newest.status is Status.FAILED:
        # Instances that were provided for it are stopped; it gets new ones.
        handed_in = () if newest.provisioning else newest.endpoints
        return deploy(draft, DeployCommand(aggregate.name, newest.version, handed_in))
    last = aggregate.rollout
    ready = [each for each in aggregate.deployments if each.status is Status.READY]
    if last is not None and last.outcome is not Outcome.COMPLETED and ready:
        return promote(draft, full=False)
    raise Refused(f"Nothing of {aggregate.name} failed or was taken back.", possible(aggregate))
