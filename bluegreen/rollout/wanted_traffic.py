"""From what is decided to what the switch is told. Pure: after a restart the same state says the same."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.deployment import Deployment, Status
from bluegreen.model.traffic import Backend, ServiceTraffic


def wanted_traffic(aggregate: ServiceAggregate) -> ServiceTraffic:
    """Every deployment that proxies may hold, the routable ones with their weights; the idle environment
    in the preview."""
    backends = tuple(
        Backend(
            revision=each.revision,
            environment=each.environment,
            endpoints=each.endpoints,
            routed=is_routed(each),
            weight=aggregate.traffic.weight(each.environment) if is_routed(each) else 0,
            upstream=each.upstream,
            health_check=each.health_check,
        )
        for each in aggregate.deployments
        if each.withdrawn_at is None and each.is_held
    )
    preview = previewed(aggregate)
    return ServiceTraffic(aggregate.service, backends, preview.revision if preview else None)


def is_routed(deployment: Deployment) -> bool:
    """Whether routes may name it: it is open, and every proxy has proved that it can reach it."""
    return deployment.status.is_open and deployment.prepared_at is not None


def previewed(aggregate: ServiceAggregate) -> Deployment | None:
    """What the preview listener reaches: the newest routable deployment without the production entry."""
    candidates = [
        each for each in aggregate.deployments if is_routed(each) and each.status is not Status.ACTIVE
    ]
    return max(candidates, key=lambda each: each.revision, default=None)


def describe_weights(aggregate: ServiceAggregate) -> str:
    """The division of the production traffic, such as "blue 90, green 10"; empty where nobody has it."""
    weights = (
        (each.environment, aggregate.traffic.weight(each.environment)) for each in aggregate.deployments
    )
    return ", ".join(sorted({f"{environment} {weight}" for environment, weight in weights if weight}))


def traffic_version(traffic: ServiceTraffic) -> str:
    """The version of what the switch is told about a service: equal content has an equal version, also after
    a restart."""
    content = json.dumps(asdict(traffic), sort_keys=True, default=str).encode()
    return hashlib.blake2b(content, digest_size=6).hexdigest()
