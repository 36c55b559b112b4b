"""The domain as the API shows it. Pure: what is asked for is handed in."""

from __future__ import annotations

from collections.abc import Sequence

from bluegreen.admin.environment_views import (
    capacity_view,
    disparities_view,
    instances_view,
    rollback_scale_up,
)
from bluegreen.admin.fleet_views import proxy_view
from bluegreen.admin.gate_views import checks_now, is_approval_wanted, observation_view
from bluegreen.admin.migration_views import add_migrations
from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.catalogue import ChangeKind, Difference
from bluegreen.model.deployment import Deployment, Status
from bluegreen.model.event import Event, What
from bluegreen.model.rollout import Rollout
from bluegreen.model.traffic_report import RequestFigures, TrafficReport
from bluegreen.rollout.environments import scale_up_seconds
from bluegreen.rollout.operations import ServiceView
from bluegreen.rollout.standing import standing

UNKNOWN = -1.0

SHOWN_EVENTS = 8
"""In a status."""

_KINDS = {
    ChangeKind.ADDED: pb.Change.ADDED,
    ChangeKind.CHANGED: pb.Change.CHANGED,
    ChangeKind.REMOVED: pb.Change.REMOVED,
}


def service_status(view: ServiceView, recent: Sequence[Event] = ()) -> pb.ServiceStatus:
    """All that there is to say about a service now. `recent` are the newest events, oldest first; some are
    told."""
    status = service_summary(view)
    status.recent_events.extend(map(event_view, _latest(recent)))
    status.checks.extend(checks_now(view.aggregate))
    add_migrations(status, view)
    if view.observation is not None:
        status.observation.CopyFrom(observation_view(view.observation))
    return status


def _latest(events: Sequence[Event]) -> list[Event]:
    """An instance that comes and goes would leave room for nothing else: of each deployment only the last
    word on its instances."""
    last = {each.deployment: each.id for each in events if each.what is What.INSTANCES_CHANGED}
    told = [
        each for each in events if each.what is not What.INSTANCES_CHANGED or each.id == last[each.deployment]
    ]
    return told[-SHOWN_EVENTS:]


def add_instances(status: pb.ServiceStatus, aggregate: ServiceAggregate, events: Sequence[Event]) -> None:
    """Tell of each instance, and what the events of the service, oldest first, tell of the last scale-up."""
    for view in status.deployments:
        deployment = aggregate.deployment(view.revision)
        view.instances.extend(instances_view(deployment))
        if deployment.provisioning is not None:
            view.capacity.scale_up_seconds = scale_up_seconds(events, deployment) or 0.0


def service_summary(view: ServiceView) -> pb.ServiceStatus:
    """As one of many: without its events and gates."""
    aggregate, report = view.aggregate, view.report
    service, active = aggregate.service, aggregate.traffic.active_environment
    return pb.ServiceStatus(
        service=service.name,
        domains=service.domains,
        gateways=service.gateways,
        revision=aggregate.revision,
        active_environment=active.value if active else "",
        cutover_percent=aggregate.traffic.cutover_percent,
        deployments=[_deployment_now(each, aggregate, report) for each in aggregate.deployments],
        rollout=_rollout_now(aggregate),
        proxies=[proxy_view(proxy, aggregate) for proxy in report.proxies],
        activity=view.activity,
        unattributed_failures=report.unattributed_5xx,
        standing=_standing_view(aggregate),
        disparities=disparities_view(aggregate),
        rollback_scale_up=rollback_scale_up(aggregate),
    )


def _standing_view(aggregate: ServiceAggregate) -> pb.Standing:
    now = standing(aggregate)
    return pb.Standing(
        rollout_id=now.rollout or 0,
        step=now.step,
        goes_on=now.goes_on,
        candidate_revision=now.candidate or 0,
        active_revision=now.active or 0,
    )


def deployment_view(deployment: Deployment) -> pb.Deployment:
    """A deployment as it is recorded; what proxies report of it is unknown."""
    return pb.Deployment(
        revision=deployment.revision,
        version=deployment.version,
        environment=deployment.environment,
        status=deployment.status,
        deployed_at=deployment.deployed_at,
        activated_at=deployment.activated_at or 0.0,
        status_since=deployment.status_since,
        endpoints=map(str, deployment.endpoints),
        observed_percent=UNKNOWN,
        p50_ms=UNKNOWN,
        p99_ms=UNKNOWN,
        deadline_at=deployment.deadline_at or 0.0,
        released=not deployment.is_held,
        note=deployment.note,
        capacity=capacity_view(deployment),
    )


def _deployment_now(
    deployment: Deployment, aggregate: ServiceAggregate, report: TrafficReport
) -> pb.Deployment:
    figures = report.figures.get(deployment.revision, RequestFigures())
    all_per_second = sum(each.per_second for each in report.figures.values())
    view = deployment_view(deployment)
    if deployment.status.is_open:
        view.set_percent = aggregate.traffic.weight(deployment.environment)
    view.acknowledged_by = _acknowledged_by(deployment, report)
    view.proxies = len(report.proxies)
    view.observed_percent = 100 * figures.per_second / all_per_second if all_per_second > 0 else UNKNOWN
    view.requests, view.failures = figures.requests, figures.failures
    view.active_requests, view.requests_per_second = figures.active, figures.per_second
    view.silent_proxies = sum(proxy.silent for proxy in report.proxies)
    view.p50_ms = UNKNOWN if figures.p50 is None else figures.p50
    view.p99_ms = UNKNOWN if figures.p99 is None else figures.p99
    return view


def _acknowledged_by(deployment: Deployment, report: TrafficReport) -> int:
    """How many proxies have what they were told last: clusters while it is deploying, then the weights.
    Nobody was told of one that is expanding."""
    if deployment.status is Status.EXPANDING:
        return 0
    if deployment.status is not Status.DEPLOYING:
        return sum(proxy.has_routes for proxy in report.proxies)
    backends = (proxy.backends.get(deployment.revision) for proxy in report.proxies)
    return sum(backend is not None and backend.acknowledged for backend in backends)


def _rollout_now(aggregate: ServiceAggregate) -> pb.Rollout | None:
    if aggregate.rollout is None:
        return None
    view = rollout_view(aggregate.rollout)
    view.approval_wanted = is_approval_wanted(aggregate)
    return view


def rollout_view(rollout: Rollout) -> pb.Rollout:
    return pb.Rollout(
        id=rollout.id,
        kind=rollout.kind,
        candidate_revision=rollout.candidate,
        previous_revision=rollout.previous or 0,
        steps=[step.percent for step in rollout.steps],
        step=rollout.step,
        percent=rollout.percent,
        state=_state(rollout),
        reason=rollout.turning_back or rollout.paused or "",
        started_at=rollout.started_at,
        finished_at=rollout.finished_at or 0.0,
        hold_until=_hold_until(rollout),
        seconds_to_last_ack=rollout.seconds_to_last_ack or 0.0,
        skew_seconds=rollout.skew or 0.0,
        seconds_from_first_bad=rollout.seconds_from_first_bad or 0.0,
    )


def _state(rollout: Rollout) -> str:
    if rollout.outcome is not None:
        return rollout.outcome.value
    if rollout.turning_back is not None:
        return "turning back"
    if rollout.paused is not None:
        return "paused"
    if rollout.step < 0:
        return "proving"
    return "waiting for acknowledgements" if rollout.acknowledged_at is None else "holding"


def _hold_until(rollout: Rollout) -> float:
    step = rollout.current
    if step is None or step.pause is None or rollout.acknowledged_at is None or not rollout.is_open:
        return 0.0
    return rollout.acknowledged_at + step.pause


def event_view(event: Event) -> pb.Event:
    view = pb.Event(
        id=event.id,
        at=event.at,
        service=event.service,
        what=event.what,
        to=event.after,
        actor=event.origin.actor,
        reason=event.origin.reason,
        message=event.message,
        deployment_revision=event.deployment or 0,
        rollout_id=event.rollout or 0,
        traffic_before=event.traffic_before,
        traffic_after=event.traffic_after,
        snapshot=event.snapshot,
    )
    setattr(view, "from", event.before)  # a keyword in Python
    return view


def change_view(change: Difference) -> pb.Change:
    return pb.Change(kind=_KINDS[change.kind], path=change.path, before=change.before, after=change.after)
