"""What operators can ask of gates, and what comes back from those that were asked. Pure, as `commands` is."""

from __future__ import annotations

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.check import Check, CheckKind
from bluegreen.model.deployment import Deployment, Status
from bluegreen.model.errors import Refused
from bluegreen.model.event import What
from bluegreen.model.hook import Moment
from bluegreen.model.rollout import RolloutKind
from bluegreen.model.verdict import Finding, Verdict
from bluegreen.rollout.draft import Draft, describe
from bluegreen.rollout.refusals import WARM, possible, why_busy
from bluegreen.rollout.standing import Standing, require


def run_tests(draft: Draft, *, active: bool) -> str:
    """Run the tests again: of the deployment in the idle environment, or of the active one.

    Only a ready deployment stands or falls with them: it is deploying until they have passed. Of one that is
    active or warm they only say how it is.
    """
    aggregate = draft.aggregate
    tests = aggregate.service.gates.tests
    if not tests:
        raise Refused(
            f"{aggregate.name} has no tests.", f"Write them under services.{aggregate.name}.gates.tests."
        )
    if aggregate.open_rollout is not None and not active:
        raise Refused(why_busy(aggregate, aggregate.open_rollout), possible(aggregate))
    kind = CheckKind.TESTS_OF_ACTIVE if active else CheckKind.TESTS
    deployment = aggregate.active if active else _idle(draft)
    if deployment is None:
        raise Refused(f"No version of {aggregate.name} is active.", possible(aggregate))
    where = f"{deployment.version} on {deployment.environment}"
    if any(check.is_open for check in aggregate.checks_of(kind, deployment.revision)):
        return f"{where} is being tested already."
    sentence = f"{where} is tested: {len(tests)} test{'' if len(tests) == 1 else 's'}."
    if deployment.status is Status.READY:
        deadline = draft.now + aggregate.service.strategy.ready_deadline
        draft.transition(deployment.revision, What.TESTED_AGAIN, sentence, deadline_at=deadline)
    draft.want(kind, deployment.revision, sentence)
    return sentence


def _idle(draft: Draft) -> Deployment:
    aggregate = draft.aggregate
    for each in aggregate.deployments:
        if each.status is Status.EXPANDING:
            raise Refused(
                f"{each.version} waits for its schema: it is tested once it is deployed.", possible(aggregate)
            )
        if each.status is Status.DEPLOYING and _is_tested(aggregate, each):
            return each
        if each.status is Status.DEPLOYING:
            raise Refused(
                f"{each.version} is still being deployed to {each.environment}, and tested with that.",
                possible(aggregate),
            )
        if each.status is Status.READY or each.status in WARM:
            return each
    raise Refused(
        f"{aggregate.name} has no version in its idle environment.",
        "Possible: test --active, of the active version; deploy.",
    )


def _is_tested(aggregate: ServiceAggregate, deployment: Deployment) -> bool:
    return any(check.is_open for check in aggregate.checks_of(CheckKind.TESTS, deployment.revision))


def approve(draft: Draft, *, expected: Standing | None = None) -> str:
    """Let the open rollout leave its present step."""
    aggregate = draft.aggregate
    require(aggregate, expected)
    rollout = aggregate.open_rollout
    if rollout is None:
        raise Refused(f"Nothing to approve: {aggregate.name} has no open rollout.", possible(aggregate))
    if rollout.kind is RolloutKind.ROLLBACK or rollout.turning_back is not None:
        raise Refused(why_busy(aggregate, rollout), possible(aggregate))
    step = rollout.current
    if step is None or not step.approval:
        ahead = [each.percent for each in rollout.steps[rollout.step + 1 :] if each.approval]
        hint = f"The next one that does: {ahead[0]} %." if ahead else "None of its steps does."
        where = f"Rollout {rollout.id} stands at {rollout.percent} %"
        raise Refused(f"{where}, which asks for no approval.", hint)
    given = next(
        aggregate.checks_of(
            CheckKind.APPROVAL, rollout.candidate, rollout=rollout.id, step=rollout.step, subject=""
        ),
        None,
    )
    if given is not None:
        return f"{given.summary} already."
    sentence = f"{rollout.percent} % of rollout {rollout.id} is approved by {draft.asked_by}"
    draft.conclude(draft.want(CheckKind.APPROVAL, rollout.candidate, ""), Verdict.PASS, sentence)
    return f"{sentence}."


def conclude(draft: Draft, *, check: int, findings: tuple[Finding, ...], verdict: Verdict) -> str:
    """Take in what tests or hooks have said. A check that is over, or gone, stays as it is."""
    asked = next((each for each in draft.aggregate.checks if each.id == check and each.is_open), None)
    if asked is None:
        return f"Nobody waits for check {check} any more."
    summary = _summary(asked, findings, verdict)
    draft.conclude(asked, verdict, summary, findings)
    if asked.kind is CheckKind.HOOKS and verdict is Verdict.PASS:
        _begin_waiting(draft, asked)
    return f"{summary}."


def _begin_waiting(draft: Draft, asked: Check) -> None:
    """What the hooks were asked before begins now, and so do its deadlines."""
    if asked.subject == Moment.BEFORE_DEPLOY:
        deadline = draft.now + draft.aggregate.service.strategy.ready_deadline
        if draft.aggregate.deployment(asked.deployment).status is Status.DEPLOYING:
            draft.put_off(asked.deployment, deadline)
    rollout = draft.aggregate.open_rollout
    if asked.subject == Moment.BEFORE_SHIFT and rollout is not None and rollout.id == asked.rollout:
        draft.amend(set_at=draft.now)


def _summary(asked: Check, findings: tuple[Finding, ...], verdict: Verdict) -> str:
    what = describe(asked)
    bad = [each for each in findings if each.verdict is not Verdict.PASS]
    if not bad:
        return f"The {what} have passed ({len(findings)} of {len(findings)})"
    first = f"{bad[0].name}: {bad[0].summary}"
    more = f"; and {len(bad) - 1} more" if len(bad) > 1 else ""
    if verdict is Verdict.PASS:
        return f"The {what} are done; ignored: {first}{more}"
    return f"{len(bad)} of {len(findings)} {what} failed: {first}{more}"
