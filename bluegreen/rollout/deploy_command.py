"""What an operator asks for with `deploy`: a version into the idle environment. Pure."""

from __future__ import annotations

from collections import Counter

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.deployment import Deployment, Status
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.environment import Environment
from bluegreen.model.errors import Refused
from bluegreen.model.event import What
from bluegreen.model.hook import Moment
from bluegreen.model.migration import Phase
from bluegreen.model.service import BY_PROVISIONER
from bluegreen.rollout.draft import Draft
from bluegreen.rollout.hooks import want_hooks
from bluegreen.rollout.migration_guards import refuse_untested_expand, refuse_while_migrating
from bluegreen.rollout.migration_runs import want_run
from bluegreen.rollout.operations import DeployCommand
from bluegreen.rollout.refusals import WARM, possible, why_busy


def deploy(draft: Draft, command: DeployCommand) -> str:
    """Begin a deployment in the idle environment; it becomes ready once every proxy has proved it."""
    aggregate = draft.aggregate
    if aggregate.open_rollout is not None:
        raise Refused(why_busy(aggregate, aggregate.open_rollout), possible(aggregate))
    refuse_while_migrating(draft)
    if expands_at_the_cost_of(aggregate, command):
        refuse_untested_expand(draft, command.version)
    environment = _idle_environment(aggregate)
    provisioning = None if command.endpoints else aggregate.service.provisioning
    endpoints = () if provisioning else _endpoints(aggregate, command, environment)
    active = aggregate.active
    capacity = 0
    if provisioning is not None:
        # As many as the active one has been scaled to: the two environments stay the same.
        capacity = active.full_capacity if active and active.full_capacity else provisioning.instances
    occupant = aggregate.occupant(environment)
    if occupant is not None:
        _make_room(draft, occupant, command)
    expands = aggregate.service.database is not None
    deployment = Deployment(
        service=aggregate.name,
        revision=aggregate.last_deployment_revision + 1,
        version=command.version,
        environment=environment,
        status=Status.EXPANDING if expands else Status.DEPLOYING,
        endpoints=endpoints,
        deployed_at=draft.now,
        status_since=draft.now,
        # Its time to become ready begins once the schema is there.
        deadline_at=None if expands else draft.now + aggregate.service.strategy.ready_deadline,
        upstream=aggregate.service.upstream,
        health_check=aggregate.service.health_check,
        provisioning=provisioning,
        full_capacity=capacity,
        capacity=capacity,
    )
    instances = deployment.expected
    sentence = (
        f"{command.version} goes to {environment} as revision {deployment.revision}, {instances} "
        f"instance{'s' if instances != 1 else ''}."
    )
    draft.add(deployment, sentence)
    want_hooks(draft, Moment.BEFORE_DEPLOY, deployment.revision)
    if expands:
        want_run(draft, Phase.EXPAND, deployment.version, deployment=deployment.revision)
    return sentence


def expands_at_the_cost_of(aggregate: ServiceAggregate, command: DeployCommand) -> bool:
    """Whether this would give the way back up before the schema is expanded for the version."""
    if aggregate.service.database is None or not command.replace_standby:
        return False
    occupant = aggregate.occupant(_idle_environment(aggregate))
    return occupant is not None and occupant.status in WARM


def _idle_environment(aggregate: ServiceAggregate) -> Environment:
    active = aggregate.active
    if active is not None:
        return active.environment.other
    # Before the first promotion neither is active: the one that is in use is the one to replace.
    return Environment.GREEN if aggregate.occupant(Environment.GREEN) else Environment.BLUE


def _endpoints(
    aggregate: ServiceAggregate, command: DeployCommand, environment: Environment
) -> tuple[Endpoint, ...]:
    endpoints = command.endpoints or tuple(aggregate.service.endpoints.get(environment, ()))
    if not endpoints:
        raise Refused(
            f"No endpoints for {command.version} on {environment}.",
            f"Give them with --endpoint HOST:PORT, or in the service file under "
            f"services.{aggregate.name}.environments.{environment}.endpoints; or have instances started: "
            f"services.{aggregate.name}.instances.",
        )
    if aggregate.service.health_check == BY_PROVISIONER:
        raise Refused(
            f"The instances of {aggregate.name} are judged by whoever provides them (health_check: "
            "provisioner): of endpoints that are handed in nobody would say how they are.",
            "Possible: deploy without --endpoint; or another health_check in the service file.",
        )
    twice = sorted(str(each) for each, count in Counter(endpoints).items() if count > 1)
    if twice:
        raise Refused(f"Endpoints given twice: {', '.join(twice[:5])}.")
    other = aggregate.occupant(environment.other)
    shared = sorted(set(endpoints) & set(other.endpoints)) if other else []
    if other and shared:
        raise Refused(
            f"{', '.join(map(str, shared[:5]))} already serves {other.version} on {other.environment}.",
            f"The idle environment is {environment}: give endpoints of its own.",
        )
    return endpoints


def _make_room(draft: Draft, occupant: Deployment, command: DeployCommand) -> None:
    where = f"{occupant.version} (revision {occupant.revision}) on {occupant.environment}"
    match occupant.status:
        case Status.READY:
            draft.transition(occupant.revision, What.SUPERSEDED, f"{where} gives way to {command.version}.")
        case Status.STANDBY | Status.DRAINING if command.replace_standby:
            # What is still under way on it is waited for before its clusters are withdrawn.
            draft.transition(occupant.revision, What.RETIRED, f"{where} gives way to {command.version}.")
        case Status.STANDBY:
            raise Refused(
                f"{where} is the standby: the way back.",
                "Possible: deploy --replace-standby, which gives the way back up; rollback; status.",
            )
        case Status.DRAINING:
            raise Refused(
                f"{where} is still draining: the way back.",
                "Possible: rollback; deploy --replace-standby, which gives the way back up; status.",
            )
        case _:
            raise Refused(f"{where} is still {occupant.status}.", "Possible: status, abort.")
