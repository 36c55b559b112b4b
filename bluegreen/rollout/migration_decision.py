"""The next step of migrations: before a version is deployed, and before a schema is contracted. Pure."""

from __future__ import annotations

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.deployment import Deployment
from bluegreen.model.event import CONTROLLER, What
from bluegreen.model.migration import Phase
from bluegreen.model.migration_run import MigrationRun
from bluegreen.rollout import proof
from bluegreen.rollout.draft import Change, Draft
from bluegreen.rollout.look import Look, Wait
from bluegreen.rollout.migration_guards import why_no_contract
from bluegreen.rollout.migration_runs import begin_run, end_run, tests_after, want_run
from bluegreen.rollout.migrations import describe_run


def decide_migration(aggregate: ServiceAggregate, look: Look) -> Change | Wait | None:
    """Begin a contract that is wanted at the moment at which it is proved that nobody needs any more what it
    takes away."""
    run = aggregate.open_run
    if run is None or (run.phase is Phase.EXPAND and run.deployment is not None):
        return None  # the deployment goes on from there: see `expand`
    if run.begun_at is not None:
        return Wait(f"The {describe_run(run)} is under way.")
    draft = Draft(aggregate, look.now, CONTROLLER)
    active = aggregate.active
    if active is None or active.revision != run.deployment:
        return draft.change(f"{end_run(draft, run, 'is given up: its version is not active any more')}.")
    why = why_no_contract(aggregate, look.report)
    if why:
        return Wait(f"The {describe_run(run)} waits: {why}.", urgent=True)
    routes = proof.routes_acknowledged(look.report)
    nobody = f"no proxy leads to any version but {active.version}, acknowledged by {routes}"
    return draft.change(begin_run(draft, run, nobody))


def expand(draft: Draft, deployment: Deployment) -> Change | Wait:
    """Have the schema expanded for a deployment, and the active version tested on it; then it is deployed."""
    run = _run_of(draft.aggregate, deployment)
    if draft.aggregate.service.database is None:
        return _go_on(draft, deployment, f"{deployment.version} needs no database any more")
    if run is None:
        run = want_run(draft, Phase.EXPAND, deployment.version, deployment=deployment.revision)
    if run.begun_at is None and run.is_open:
        return draft.change(begin_run(draft, run, f"before {deployment.version} is deployed"))
    if run.is_open:
        return Wait(f"{deployment.version} waits for its schema: the {describe_run(run)} is under way.")
    if not run.has_passed:
        return _fail(draft, deployment, f"the {describe_run(run)} has failed: {run.summary}")
    tests, active = tests_after(draft, run), draft.aggregate.active
    if tests is not None and tests.is_open:
        return Wait(f"{deployment.version} waits until the active version is tested on the expanded schema.")
    if tests is not None and not tests.has_passed:
        which = f"the active version {active.version}" if active is not None else "the active version"
        return _fail(
            draft,
            deployment,
            f"{which} fails its tests on the expanded schema: {tests.summary}; the schema stays expanded, "
            "nothing is undone",
        )
    return _go_on(draft, deployment, f"The schema is expanded for {deployment.version}: {run.summary}")


def _run_of(aggregate: ServiceAggregate, deployment: Deployment) -> MigrationRun | None:
    ours = (each for each in reversed(aggregate.migration_runs) if each.deployment == deployment.revision)
    return next((each for each in ours if each.phase is Phase.EXPAND), None)


def _go_on(draft: Draft, deployment: Deployment, why: str) -> Change:
    deadline = draft.now + draft.aggregate.service.strategy.ready_deadline
    draft.transition(deployment.revision, What.EXPANDED, f"{why}.", deadline_at=deadline)
    return draft.change(f"{why}.")


def _fail(draft: Draft, deployment: Deployment, note: str) -> Change:
    sentence = f"{deployment.version} failed: {note}."
    draft.transition(deployment.revision, What.FAILED, sentence, note=note)
    return draft.change(sentence)
