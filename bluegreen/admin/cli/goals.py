"""What a verb waits for: pure, a status in, a verdict out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bluegreen.admin.cli.exit_code import ExitCode
from bluegreen.admin.v1 import admin_pb2 as pb

OVER = ("retired", "failed")
"""Statuses that are final."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the waiting ended, as a sentence that says what comes next."""

    code: ExitCode
    sentence: str


@dataclass(frozen=True, slots=True)
class Goal:
    """What to watch, by its number (0: not that kind), and when it is reached. `judge` returns None as long
    as there is something to wait for."""

    judge: Callable[[pb.ServiceStatus, Goal], Verdict | None]
    deployment: int = 0
    rollout: int = 0

    def is_in(self, status: pb.ServiceStatus) -> bool:
        """Whether the status still tells of it; what is over moves to the history."""
        if self.rollout:
            return status.rollout.id == self.rollout
        return find_deployment(status, self.deployment) is not None


def find_deployment(status: pb.ServiceStatus, revision: int) -> pb.Deployment | None:
    return next((each for each in status.deployments if each.revision == revision), None)


def ready(status: pb.ServiceStatus, goal: Goal) -> Verdict | None:
    """Until the deployment is ready, or will never be."""
    deployment = find_deployment(status, goal.deployment)
    if deployment is None:
        return Verdict(ExitCode.FAILED, f"Revision {goal.deployment} of {status.service} is gone.")
    what = f"{deployment.version} (revision {deployment.revision})"
    match deployment.status:
        case "deploying":
            return None
        case "failed":
            return Verdict(ExitCode.FAILED, f"{what} failed: {deployment.note or 'see the events'}")
        case "retired":
            return Verdict(ExitCode.RETURNED, f"{what} gave way to another deployment.")
        case "ready":
            following = f"Next: bluegreen promote {status.service}"
            return Verdict(ExitCode.DONE, f"{what} is ready on {deployment.environment}. {following}")
        case further:
            return Verdict(ExitCode.DONE, f"{what} is {further} on {deployment.environment}.")


def moved(status: pb.ServiceStatus, goal: Goal) -> Verdict | None:
    """Until the candidate has its traffic: all of it, or what it holds until the next promote."""
    rollout, who = status.rollout, candidate(status)
    match rollout.state:
        case "completed":
            return Verdict(ExitCode.DONE, f"{who} has all traffic of {status.service}{_proof(rollout)}.")
        case "aborted":
            return Verdict(ExitCode.RETURNED, f"The rollout of {who} was taken back. {_why(status, rollout)}")
        case "failed":
            return Verdict(ExitCode.FAILED, f"The rollout of {who} failed. {_why(status, rollout)}")
        case "paused":
            return _paused(status)
        case "holding" if not rollout.hold_until and rollout.step < len(rollout.steps) - 1:
            following = rollout.steps[rollout.step + 1]
            return Verdict(
                ExitCode.DONE,
                f"{who} holds at {rollout.percent} %, acknowledged by every proxy. Next: bluegreen promote "
                f"{status.service} (to {following} %), or bluegreen abort {status.service}",
            )
        case _:
            return None


def returned(status: pb.ServiceStatus, goal: Goal) -> Verdict | None:
    """Until the traffic is back where it was before the release."""
    rollout = status.rollout
    match rollout.state, rollout.kind:
        case ("completed", "rollback") | ("aborted" | "failed", "promote"):
            where = status.active_environment or "no environment"
            return Verdict(
                ExitCode.DONE, f"The traffic of {status.service} is back on {where}{_proof(rollout)}."
            )
        case ("completed", _):
            sentence = f"The rollout of {candidate(status)} had all traffic before it could be aborted."
            return Verdict(ExitCode.FAILED, sentence)
        case ("aborted" | "failed", _):
            return Verdict(ExitCode.FAILED, f"The rollback failed. {_why(status, rollout)}")
        case ("paused", _):
            return _paused(status)
        case _:
            return None


def released(status: pb.ServiceStatus, goal: Goal) -> Verdict | None:
    """Until no proxy leads to any version that is over."""
    if any(each.status in OVER and not each.released for each in status.deployments):
        return None
    return Verdict(
        ExitCode.DONE,
        f"No proxy leads to {status.service} any more: its instances may be stopped. Next: take it out of "
        "the service file, and bluegreen apply --prune",
    )


def candidate(status: pb.ServiceStatus) -> str:
    """The version that the rollout is about."""
    deployment = find_deployment(status, status.rollout.candidate_revision)
    return deployment.version if deployment else f"revision {status.rollout.candidate_revision}"


def _paused(status: pb.ServiceStatus) -> Verdict:
    rollout, service = status.rollout, status.service
    return Verdict(
        ExitCode.FAILED,
        f"Rollout {rollout.id} of {candidate(status)} is paused at {rollout.percent} %: {rollout.reason}. "
        f"Go on with bluegreen resume {service}, or return with bluegreen abort {service}",
    )


def _why(status: pb.ServiceStatus, rollout: pb.Rollout) -> str:
    return f"Reason: {rollout.reason}." if rollout.reason else f"See bluegreen events {status.service}"


def _proof(rollout: pb.Rollout) -> str:
    if not rollout.seconds_to_last_ack:
        return ""
    last, skew = rollout.seconds_to_last_ack * 1000, rollout.skew_seconds * 1000
    return f", acknowledged by every proxy after {last:.0f} ms (skew {skew:.0f} ms)"
