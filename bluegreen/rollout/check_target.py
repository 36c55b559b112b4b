"""What a check is about, in the words that commands, webhooks and tests are given. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.check import Check, CheckKind
from bluegreen.model.checker import Target
from bluegreen.model.deployment import Deployment, Status
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.gateway import Gateway
from bluegreen.model.rollout import Rollout, RolloutKind

ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is listened on, not what listens
"""Where a listener on all addresses is reached from its own machine."""


def check_target(aggregate: ServiceAggregate, gateways: Mapping[str, Gateway], check: Check) -> Target:
    """The target of a check that was wanted."""
    deployment = aggregate.deployment(check.deployment)
    rollout = aggregate.rollout if aggregate.rollout and aggregate.rollout.id == check.rollout else None
    active = check.kind is CheckKind.TESTS_OF_ACTIVE or deployment.status is Status.ACTIVE
    urls = _urls(aggregate, gateways, production=active)
    return Target(
        service=aggregate.name,
        version=deployment.version,
        revision=deployment.revision,
        environment=deployment.environment,
        key=f"{aggregate.name}/{check.id}",
        domain=_domain(aggregate),
        url=urls[0] if urls else "",
        urls=urls,
        moment=check.subject if check.kind is CheckKind.HOOKS else "",
        rollout=check.rollout,
        percent=rollout.percent if rollout else None,
        reason=_reason(aggregate, rollout) if rollout else "",
    )


def _reason(aggregate: ServiceAggregate, rollout: Rollout) -> str:
    """Why the traffic goes back, or went."""
    if rollout.kind is not RolloutKind.ROLLBACK or rollout.previous is None:
        return rollout.turning_back or ""
    # The verdict that led to a rollback is part of the change that began it.
    verdicts = aggregate.checks_of(CheckKind.ANALYSIS, rollout.previous, wanted_at=rollout.started_at)
    return next((check.summary for check in verdicts), "")


def source_target(aggregate: ServiceAggregate, gateways: Mapping[str, Gateway], revision: int) -> Target:
    """The target of what measures a version that takes traffic."""
    deployment: Deployment = aggregate.deployment(revision)
    rollout = aggregate.open_rollout
    urls = _urls(aggregate, gateways, production=True)
    return Target(
        service=aggregate.name,
        version=deployment.version,
        revision=revision,
        environment=deployment.environment,
        key="",
        domain=_domain(aggregate),
        url=urls[0] if urls else "",
        urls=urls,
        rollout=rollout.id if rollout else None,
        percent=rollout.percent if rollout else None,
    )


def _urls(
    aggregate: ServiceAggregate, gateways: Mapping[str, Gateway], *, production: bool
) -> tuple[str, ...]:
    named = (gateways[name] for name in aggregate.service.gateways if name in gateways)
    if production:
        return tuple(gateway.url or _url(gateway.listen) for gateway in named)
    return tuple(gateway.preview_url or _url(gateway.preview) for gateway in named)


def _url(listener: Endpoint) -> str:
    return f"http://{Endpoint(ANY_ADDRESS.get(listener.host, listener.host), listener.port)}"


def _domain(aggregate: ServiceAggregate) -> str:
    """A host that the service answers to; empty: whatever the URL says."""
    domain = next((each for each in aggregate.service.domains if "*" not in each), None)
    if domain is not None:
        return domain
    wildcard = next((each for each in aggregate.service.domains if each != "*"), "")
    return wildcard.replace("*", "bluegreen" if wildcard.startswith("*") else "")
