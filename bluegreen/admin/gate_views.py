"""Gates as the API shows them: what was asked, and what the analysis sees. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.check import Check, CheckKind
from bluegreen.model.verdict import Finding
from bluegreen.rollout.analysis.observation import Observation
from bluegreen.rollout.analysis.streak import Tally

SHOWN = 20
"""Checks in a status; all that are open, however many."""

STATUS_OUTPUT = 64 * 1024
"""Characters of output in one status, which may be sent ten times a second."""

HISTORY_OUTPUT = 512 * 1024
"""Characters of output in one history: a client takes four MiB unless it says otherwise."""

NO_STEP = -1


def checks_now(aggregate: ServiceAggregate) -> list[pb.Check]:
    """The open checks and the latest of the present deployments, newest first."""
    present = {each.revision for each in aggregate.deployments}
    ours = [each for each in reversed(aggregate.checks) if each.is_open or each.deployment in present]
    return checks_view([each for i, each in enumerate(ours) if i < SHOWN or each.is_open], STATUS_OUTPUT)


def checks_view(checks: Iterable[Check], output: int) -> list[pb.Check]:
    """With so many characters of output, which the first checks get first."""
    views = []
    for check in checks:
        view = check_view(check, output)
        output -= sum(len(finding.output) for finding in view.findings)
        views.append(view)
    return views


def check_view(check: Check, output: int = STATUS_OUTPUT) -> pb.Check:
    return pb.Check(
        id=check.id,
        kind=check.kind,
        subject=check.subject,
        deployment_revision=check.deployment,
        rollout_id=check.rollout or 0,
        step=NO_STEP if check.step is None else check.step,
        verdict=check.verdict or "",
        summary=check.summary,
        findings=finding_views(check.findings, output),
        wanted_at=check.wanted_at,
        finished_at=check.finished_at or 0.0,
    )


def finding_views(findings: Iterable[Finding], output: int) -> list[pb.Finding]:
    views = []
    for each in findings:
        # The end of what was printed says most.
        kept = each.output[-output:] if output > 0 else ""
        output -= len(kept)
        views.append(
            pb.Finding(
                name=each.name, verdict=each.verdict, summary=each.summary, output=kept, seconds=each.seconds
            )
        )
    return views


def observation_view(seen: Observation) -> pb.Observation:
    stretch = seen.stretch
    return pb.Observation(
        candidate_revision=stretch.candidate,
        active_revision=stretch.active or 0,
        rollout_id=stretch.rollout or 0,
        step=NO_STEP if stretch.step is None else stretch.step,
        since=stretch.since,
        begun=seen.begun,
        verdict=seen.verdict,
        watched=_watched_view(seen),
        first_bad_at=seen.first_bad_at or 0.0,
    )


def _watched_view(seen: Observation) -> list[pb.Watched]:
    views = []
    for last in finding_views(seen.findings, STATUS_OUTPUT):
        tally = seen.tally.get(last.name, Tally())
        views.append(
            pb.Watched(
                last=last,
                passes=tally.passes,
                fails=tally.fails,
                inconclusives=tally.inconclusives,
                errors=tally.errors,
            )
        )
    return views


def is_approval_wanted(aggregate: ServiceAggregate) -> bool:
    """Whether the open rollout leaves its present step by itself once somebody has approved that. One that is
    left by hand is approved with that."""
    rollout = aggregate.open_rollout
    step = rollout.current if rollout is not None else None
    if rollout is None or step is None or rollout.turning_back is not None:
        return False
    if not step.approval or step.pause is None:
        return False
    given = aggregate.checks_of(CheckKind.APPROVAL, rollout.candidate, rollout=rollout.id, step=rollout.step)
    return not any(given)
