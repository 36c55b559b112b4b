"""What a run of migrations is waited for, and what comes after it."""

from __future__ import annotations

from bluegreen.admin.cli.exit_code import ExitCode
from bluegreen.admin.cli.goals import Goal, Verdict, find_run, left_of, more_than_summary, tests_after
from bluegreen.admin.v1 import admin_pb2 as pb

STOPPED = "inconclusive"
"""The verdict of a run that somebody gave up."""


def migrated(status: pb.ServiceStatus, goal: Goal) -> Verdict | None:
    """Until the run is over."""
    run = find_run(status, goal.migration)
    if run is None:
        sentence = f"Run {goal.migration} of the migrations of {status.service} is gone."
        return Verdict(ExitCode.FAILED, sentence)
    match run.verdict:
        case "":
            return None
        case "pass" if run.phase == "expand":
            return _lived_with(status, run)
        case "pass":
            return Verdict(ExitCode.DONE, f"{run.summary}. {what_is_next(status)}".strip())
        case verdict if verdict == STOPPED:
            return Verdict(ExitCode.RETURNED, f"{outcome(run)}. {what_is_next(status)}".strip())
        case _:
            return Verdict(ExitCode.FAILED, f"{run.summary}.", more_than_summary(run))


def _lived_with(status: pb.ServiceStatus, run: pb.MigrationRun) -> Verdict | None:
    """The tests of the active version follow an expand."""
    check = tests_after(status, run)
    if check is not None and not check.verdict:
        return None
    if check is not None and check.verdict != "pass":
        return Verdict(ExitCode.FAILED, f"{run.summary}, but then: {check.summary}.", check.findings)
    return Verdict(ExitCode.DONE, f"{run.summary}. {what_is_next(status, run)}".strip())


def outcome(run: pb.MigrationRun) -> str:
    """What it came to, as a sentence without its full stop. The summary of one that was given up says by
    whom, and not what."""
    if run.verdict != STOPPED:
        return run.summary
    return f"Migration {run.id} ({run.phase} of {run.version}) {run.summary}"


def what_is_next(status: pb.ServiceStatus, run: pb.MigrationRun | None = None) -> str:
    """The next command on the way of the migrations, as a sentence; empty where none is known. `run` is the
    expand that was asked for."""
    service = status.service
    opened = next((each for each in status.migration_runs if not each.verdict), None)
    if opened is not None:
        return f"Give it up with: bluegreen migrations stop {service}"
    waiting = _version_in(status, "ready", "shifting")
    active = _version_in(status, "active")
    if run is not None and run.version not in (waiting, active):
        return f"Next: bluegreen deploy {service} {run.version}"
    if any(left_of(status, version).backfills for version in (waiting, active)):
        return f"Next: bluegreen migrations backfill {service}"
    if _version_in(status, "ready"):
        return f"Next: bluegreen promote {service}"
    if left_of(status, active).contracts:
        return _contract(status)
    return ""


def _contract(status: pb.ServiceStatus) -> str:
    command = f"bluegreen migrations contract {status.service}"
    old = next((each for each in status.deployments if each.status in ("draining", "standby")), None)
    if old is None:
        return f"Next: {command}"
    return (
        f"Next, once {old.version} is retired: {command} (at once, giving the way back up, with "
        "--retire-standby)"
    )


def _version_in(status: pb.ServiceStatus, *statuses: str) -> str:
    return next((each.version for each in status.deployments if each.status in statuses), "")
