"""What a verb waits for: a status in, a verdict out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bluegreen.admin.cli.exit_code import ExitCode
from bluegreen.admin.v1 import admin_pb2 as pb

OVER = ("retired", "failed")
"""Statuses that are final."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the waiting ended, as a sentence that says what comes next. `findings`: those of the gate that has
    led to it."""

    code: ExitCode
    sentence: str
    findings: Sequence[pb.Finding] = ()


@dataclass(frozen=True, slots=True)
class Goal:
    """What to watch, by its number (0: not that kind), and when it is reached. `judge` returns None as long
    as there is something to wait for."""

    judge: Callable[[pb.ServiceStatus, Goal], Verdict | None]
    deployment: int = 0
    rollout: int = 0
    check: int = 0
    migration: int = 0

    def __bool__(self) -> bool:
        """Whether there is anything to wait for."""
        return bool(self.deployment or self.rollout or self.check or self.migration)

    def is_in(self, status: pb.ServiceStatus) -> bool:
        """Whether the status still tells of it; what is over moves to the history."""
        if self.check:
            check = find_check(status, self.check)
            return check is not None and find_deployment(status, check.deployment_revision) is not None
        if self.migration:
            return find_run(status, self.migration) is not None
        if self.rollout:
            return status.rollout.id == self.rollout
        return find_deployment(status, self.deployment) is not None


def find_deployment(status: pb.ServiceStatus, revision: int) -> pb.Deployment | None:
    return next((each for each in status.deployments if each.revision == revision), None)


def find_check(status: pb.ServiceStatus, number: int) -> pb.Check | None:
    return next((each for each in status.checks if each.id == number), None)


def find_run(status: pb.ServiceStatus, number: int) -> pb.MigrationRun | None:
    return next((each for each in status.migration_runs if each.id == number), None)


def left_of(status: pb.ServiceStatus, version: str) -> pb.MigrationsLeft:
    """What of a version's migrations is still to come."""
    return next((each for each in status.migrations_left if each.version == version), pb.MigrationsLeft())


def more_than_summary(run: pb.MigrationRun) -> Sequence[pb.Finding]:
    """The findings that say something which the summary of the run does not. It may go on with what to do."""
    summary = f"{run.summary}. "
    return [each for each in run.findings if not summary.startswith(f"{each.summary.rstrip('.')}. ")]


def tests_after(status: pb.ServiceStatus, run: pb.MigrationRun) -> pb.Check | None:
    """The tests of the active version that follow an expand, in the same transaction."""
    return next((each for each in status.checks if each.subject == f"migration {run.id}"), None)


def ready(status: pb.ServiceStatus, goal: Goal) -> Verdict | None:
    """Until the deployment is ready, or will never be."""
    deployment = find_deployment(status, goal.deployment)
    if deployment is None:
        return Verdict(ExitCode.FAILED, f"Revision {goal.deployment} of {status.service} is gone.")
    what = f"{deployment.version} (revision {deployment.revision})"
    match deployment.status:
        case "expanding" | "deploying":
            return None
        case "failed":
            sentence = (
                f"{what} failed: {(deployment.note or 'see the events').rstrip('.')}. "
                f"Once that is put right: bluegreen retry {status.service}"
            )
            findings = _findings(status, deployment.note) or _of_expand(status, deployment.revision)
            return Verdict(ExitCode.FAILED, sentence, findings)
        case "retired":
            return Verdict(ExitCode.RETURNED, f"{what} gave way to another deployment.")
        case "ready":
            is_left = bool(left_of(status, deployment.version).backfills)
            following = f"bluegreen {'migrations backfill' if is_left else 'promote'} {status.service}"
            return Verdict(ExitCode.DONE, f"{what} is ready on {deployment.environment}. Next: {following}")
        case further:
            return Verdict(ExitCode.DONE, f"{what} is {further} on {deployment.environment}.")


def moved(status: pb.ServiceStatus, goal: Goal) -> Verdict | None:
    """Until the candidate has its traffic: all of it, or what it holds until the next promote."""
    rollout, who = status.rollout, candidate(status)
    match rollout.state:
        case "completed":
            return Verdict(ExitCode.DONE, f"{who} has all traffic of {status.service}{_proof(rollout)}.")
        case "aborted":
            sentence = f"The rollout of {who} was taken back. {_why(status, rollout)}"
            return Verdict(ExitCode.RETURNED, sentence, _findings(status, rollout.reason))
        case "failed":
            sentence = f"{who} has failed and was turned back. {_why(status, rollout)}"
            return Verdict(ExitCode.RETURNED, sentence, _findings(status, rollout.reason))
        case "paused":
            return _paused(status)
        case "holding" if not rollout.hold_until and rollout.step < len(rollout.steps) - 1:
            following = rollout.steps[rollout.step + 1]
            return Verdict(
                ExitCode.DONE,
                f"{who} holds at {rollout.percent} %, acknowledged by every proxy. Next: bluegreen promote "
                f"{status.service} (to {following} %), or bluegreen abort {status.service}",
            )
        case "holding" if rollout.approval_wanted and rollout.hold_until <= time.time():
            return Verdict(
                ExitCode.DONE,
                f"{who} holds at {rollout.percent} %, acknowledged by every proxy, until that is approved. "
                f"Next: bluegreen approve {status.service}, or bluegreen abort {status.service}",
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


def tested(status: pb.ServiceStatus, goal: Goal) -> Verdict | None:
    """Until the tests have said, and what stands or falls with them does."""
    check = find_check(status, goal.check)
    if check is None:
        return Verdict(ExitCode.FAILED, f"Check {goal.check} of {status.service} is gone.")
    if not check.verdict:
        return None
    if check.verdict != "pass":
        return Verdict(ExitCode.FAILED, f"{check.summary}.")
    deployment = find_deployment(status, check.deployment_revision)
    if deployment is None:
        return Verdict(ExitCode.DONE, f"{check.summary}.")
    match deployment.status:
        case "deploying":
            return None
        case "failed":
            return Verdict(ExitCode.FAILED, f"{check.summary}, but then: {deployment.note or 'it failed'}")
        case standing:
            return Verdict(
                ExitCode.DONE,
                f"{check.summary}: {deployment.version} is {standing} on {deployment.environment}.",
            )


def provided(deployment: pb.Deployment) -> bool:
    """Whether something here starts and stops its instances."""
    return deployment.capacity.provided_by not in ("", "hand")


def scaled(status: pb.ServiceStatus, goal: Goal) -> Verdict | None:
    """Until as many instances are up as are wanted, and none leaves any more."""
    pools = [each for each in status.deployments if each.status not in OVER and provided(each)]
    for each in pools:
        if each.capacity.failed:
            sentence = f"{each.version} on {each.environment}: {each.capacity.summary}"
            return Verdict(ExitCode.FAILED, sentence)
    if any(each.capacity.up < each.capacity.wanted or each.capacity.leaving for each in pools):
        return None
    now = ", ".join(f"{each.capacity.up} on {each.environment} ({each.version})" for each in pools)
    return Verdict(ExitCode.DONE, f"Instances of {status.service}: {now or 'none any more'}.")


def candidate(status: pb.ServiceStatus) -> str:
    """The version that the rollout is about."""
    deployment = find_deployment(status, status.rollout.candidate_revision)
    return deployment.version if deployment else f"revision {status.rollout.candidate_revision}"


def _paused(status: pb.ServiceStatus) -> Verdict:
    rollout, service = status.rollout, status.service
    check = _check_of(status, rollout.reason)
    if check is None or check.kind != "analysis":
        following = f"Go on with bluegreen resume {service}"
    elif check.verdict == "fail":
        following = f"Watch it anew with bluegreen resume {service}"
    else:
        following = (
            f"Go on all the same with bluegreen promote {service}, watch it anew with bluegreen resume "
            f"{service}"
        )
    return Verdict(
        ExitCode.FAILED,
        f"Rollout {rollout.id} of {candidate(status)} is paused at {rollout.percent} %: {rollout.reason}. "
        f"{following}, or return with bluegreen abort {service}",
        check.findings if check is not None else (),
    )


def _check_of(status: pb.ServiceStatus, reason: str) -> pb.Check | None:
    """The gate whose verdict is the reason."""
    return next((each for each in status.checks if reason and each.summary == reason), None)


def _findings(status: pb.ServiceStatus, reason: str) -> Sequence[pb.Finding]:
    check = _check_of(status, reason)
    return check.findings if check is not None else ()


def _of_expand(status: pb.ServiceStatus, revision: int) -> Sequence[pb.Finding]:
    """What its migrations came to, or the tests after them, where they are the reason."""
    runs = (each for each in status.migration_runs if each.deployment_revision == revision)
    run = next((each for each in runs if each.phase == "expand"), None)
    if run is None:
        return ()
    if run.verdict != "pass":
        return more_than_summary(run)
    tests = tests_after(status, run)
    return tests.findings if tests is not None and tests.verdict != "pass" else ()


def _why(status: pb.ServiceStatus, rollout: pb.Rollout) -> str:
    if not rollout.reason:
        return f"See bluegreen events {status.service}"
    return f"Reason: {'; '.join(filter(None, (rollout.reason, since_first_bad(rollout))))}."


def since_first_bad(rollout: pb.Rollout) -> str:
    """How long a version did harm that was turned back for it; empty: it was not."""
    if not rollout.seconds_from_first_bad:
        return ""
    return f"every proxy had turned back {rollout.seconds_from_first_bad:.1f} s after the first bad answer"


def _proof(rollout: pb.Rollout) -> str:
    if not rollout.seconds_to_last_ack:
        return ""
    last, skew = rollout.seconds_to_last_ack * 1000, rollout.skew_seconds * 1000
    return f", acknowledged by every proxy after {last:.0f} ms (skew {skew:.0f} ms)"
