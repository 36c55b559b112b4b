"""From what is decided to what the switch is told. Pure: after a restart the same state says the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import fields, is_dataclass

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.check import CheckKind
from bluegreen.model.deployment import Deployment, Status
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.hook import Moment
from bluegreen.model.traffic import Backend, ServiceTraffic

ON_THE_WAY = (Status.DEPLOYING, Status.READY, Status.SHIFTING)


def wanted_traffic(aggregate: ServiceAggregate) -> ServiceTraffic:
    """Every deployment that proxies may hold, the routable ones with their weights; the idle environment
    in the preview, the candidate also for what goes past the weights."""
    backends = tuple(
        Backend(
            revision=each.revision,
            environment=each.environment,
            endpoints=each.endpoints,
            routed=is_routed(each),
            weight=aggregate.traffic.weight(each.environment) if is_routed(each) else 0,
            upstream=each.upstream,
            health_check=each.health_check,
            draining=_known(each, each.draining),
            unhealthy=_known(each, each.unhealthy),
        )
        for each in aggregate.deployments
        if each.withdrawn_at is None and each.is_held and not is_kept_back(aggregate, each)
    )
    preview, candidate = previewed(aggregate), candidate_of(aggregate)
    return ServiceTraffic(
        service=aggregate.service,
        backends=backends,
        preview=preview.revision if preview else None,
        candidate=candidate.revision if candidate else None,
    )


def _known(deployment: Deployment, endpoints: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
    """Those among them that the proxies are told of."""
    told = frozenset(deployment.endpoints) if endpoints else frozenset()
    return tuple(each for each in endpoints if each in told)


def is_kept_back(aggregate: ServiceAggregate, deployment: Deployment) -> bool:
    """Whether nothing may be done with it yet, or ever: the schema is not expanded for it, or the hooks
    before its deployment have not passed."""
    if deployment.status is Status.EXPANDING:
        return True
    hooks = aggregate.checks_of(CheckKind.HOOKS, deployment.revision, subject=Moment.BEFORE_DEPLOY)
    return any(not check.has_passed for check in hooks)


def is_routed(deployment: Deployment) -> bool:
    """Whether routes may name it: it is open, and every proxy has proved that it can reach it."""
    return deployment.status.is_open and deployment.prepared_at is not None


def previewed(aggregate: ServiceAggregate) -> Deployment | None:
    """What the preview listener reaches: the newest routable deployment without the production entry."""
    return _newest(each for each in aggregate.deployments if each.status is not Status.ACTIVE)


def candidate_of(aggregate: ServiceAggregate) -> Deployment | None:
    """The newest routable deployment on its way to the production entry. One on its way out, draining or
    standby, is none: production requests do not go back to it but by a rollback."""
    return _newest(each for each in aggregate.deployments if each.status in ON_THE_WAY)


def _newest(deployments: Iterable[Deployment]) -> Deployment | None:
    return max(filter(is_routed, deployments), key=lambda each: each.revision, default=None)


def describe_weights(aggregate: ServiceAggregate) -> str:
    """The division of the production traffic, such as "blue 90, green 10"; empty where nobody has it."""
    weights = (
        (each.environment, aggregate.traffic.weight(each.environment)) for each in aggregate.deployments
    )
    return ", ".join(sorted({f"{environment} {weight}" for environment, weight in weights if weight}))


def traffic_version(traffic: ServiceTraffic) -> str:
    """The version of what the switch is told about a service: equal content has an equal version, also after
    a restart."""
    # Not by way of asdict, which copies every endpoint first: of thousands, at each change of one.
    content = json.dumps(traffic, sort_keys=True, default=_plain).encode()
    return hashlib.blake2b(content, digest_size=6).hexdigest()


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    return str(value)
