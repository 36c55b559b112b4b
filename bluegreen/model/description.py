"""A catalogue in the words of the service file: plain values, nothing left to a default.

Only secrets are no plain values: they compare as what they are, and show as `(secret)`.
"""

from __future__ import annotations

from typing import Any

from bluegreen.model.catalogue import Catalogue
from bluegreen.model.connection_string import ConnectionString
from bluegreen.model.database import Database
from bluegreen.model.duration import format_duration
from bluegreen.model.gates_description import describe_gates, number
from bluegreen.model.gateway import Gateway
from bluegreen.model.provisioning import (
    EndpointsFile,
    ProcessTemplate,
    ProvisionerCommand,
    Provisioning,
    Source,
)
from bluegreen.model.service import BY_PROVISIONER, HealthCheck, HealthCheckType, Route, Service
from bluegreen.model.strategy import Step, Strategy

MANUAL = "manual"
"""The pause that lasts until an operator promotes."""

NO_HEALTH_CHECK = "none"
"""The health check of a service whose instances are taken at their word."""

PROVISIONER = HealthCheckType.PROVISIONER.value
"""The health check of a service whose instances are judged by whoever provides them."""


def describe(catalogue: Catalogue) -> dict[str, Any]:
    """The file that says the same: reading it gives an equal catalogue, where it holds no secret."""
    return {
        "gateways": {name: describe_gateway(each) for name, each in sorted(catalogue.gateways.items())},
        "services": {name: describe_service(each) for name, each in sorted(catalogue.services.items())},
    }


def describe_gateway(gateway: Gateway) -> dict[str, Any]:
    described = {"listen": str(gateway.listen), "preview": str(gateway.preview)}
    if gateway.url is not None:
        described["url"] = gateway.url
    if gateway.preview_url is not None:
        described["preview_url"] = gateway.preview_url
    if gateway.forget_after is not None:
        described["forget_after"] = format_duration(gateway.forget_after)
    return described


def describe_service(service: Service) -> dict[str, Any]:
    upstream = service.upstream
    return {
        "gateways": list(service.gateways),
        "domains": list(service.domains),
        "routes": [_route(route) for route in service.routes],
        "upstream": {
            "protocol": upstream.protocol.value,
            "connect_timeout": format_duration(upstream.connect_timeout),
            "idle_timeout": format_duration(upstream.idle_timeout),
            "max_connections": upstream.max_connections,
            "max_requests": upstream.max_requests,
            "panic_threshold": upstream.panic_threshold,
        },
        "health_check": _health_check(service.health_check),
        "environments": {
            environment.value: {"endpoints": [str(endpoint) for endpoint in endpoints]}
            for environment, endpoints in sorted(service.endpoints.items())
        },
        **({"instances": _instances(service.provisioning)} if service.provisioning else {}),
        **({"database": _database(service.database)} if service.database else {}),
        "strategy": _strategy(service.strategy),
        "drain": {
            "grace": format_duration(service.drain.grace),
            "deadline": format_duration(service.drain.deadline),
        },
        "keep_warm": format_duration(service.keep_warm),
        **_steering(service),
        "gates": describe_gates(service.gates),
    }


def _steering(service: Service) -> dict[str, Any]:
    """What is off unless it stands in the file."""
    described: dict[str, Any] = {}
    if service.affinity is not None:
        described["affinity"] = {service.affinity.source.value: service.affinity.name}
    if service.manual_routing is not None:
        manual = service.manual_routing
        described["manual_routing"] = {"header": manual.header, "value": manual.value}
    if service.mirror is not None:
        mirror = service.mirror
        described["mirror"] = {"percent": number(mirror.percent), "methods": mirror.methods.value}
    return described


def _route(route: Route) -> dict[str, Any]:
    return {
        "path" if route.exact else "prefix": route.path,
        "timeout": format_duration(route.timeout),
        "idle_timeout": format_duration(route.idle_timeout),
        "retries": {"attempts": route.retries.attempts, "reset": route.retries.reset},
        "websocket": route.websocket,
    }


def _health_check(check: HealthCheck | None) -> str | dict[str, Any]:
    if check is None:
        return NO_HEALTH_CHECK
    if check == BY_PROVISIONER:
        return PROVISIONER
    return {
        "type": check.type.value,
        **({"path": check.path} if check.type is HealthCheckType.HTTP else {}),
        "interval": format_duration(check.interval),
        "timeout": format_duration(check.timeout),
        "healthy_threshold": check.healthy_threshold,
        "unhealthy_threshold": check.unhealthy_threshold,
    }


def _instances(provisioning: Provisioning) -> dict[str, Any]:
    source = provisioning.source
    return {
        "count": provisioning.instances,
        "standby_capacity": f"{provisioning.standby_capacity}%",
        source.type: _source(source),
    }


def _source(source: Source) -> dict[str, Any]:
    match source:
        case ProcessTemplate():
            return {
                "command": list(source.command),
                **({"environment": dict(source.environment)} if source.environment else {}),
                **({"directory": source.directory} if source.directory is not None else {}),
                "host": source.host,
                **({"ready_path": source.ready_path} if source.ready_path is not None else {}),
                "ready_interval": format_duration(source.ready_interval),
                "ready_timeout": format_duration(source.ready_timeout),
                "grace": format_duration(source.grace),
                "backoff": format_duration(source.backoff),
                "longest_backoff": format_duration(source.longest_backoff),
            }
        case ProvisionerCommand():
            return {
                "command": list(source.command),
                "timeout": format_duration(source.timeout),
                "interval": format_duration(source.interval),
            }
        case EndpointsFile():
            return {"path": source.path, "interval": format_duration(source.interval)}


def _database(database: Database) -> dict[str, Any]:
    return {
        "url": ConnectionString(database.url.value),
        "migrations": database.migrations,
        "lock_timeout": format_duration(database.lock_timeout),
        "statement_timeout": format_duration(database.statement_timeout),
        "patience": format_duration(database.patience),
        "batch_time": format_duration(database.batch_time),
        "backfill_load": f"{database.backfill_load}%",
    }


def _strategy(strategy: Strategy) -> dict[str, Any]:
    return {
        "steps": [_step(step) for step in strategy.steps],
        "step_deadline": format_duration(strategy.step_deadline),
        "on_silent": strategy.on_silent.value,
        "ready_deadline": format_duration(strategy.ready_deadline),
    }


def _step(step: Step) -> dict[str, Any]:
    if step.percent == 100:  # the end: there is nothing to wait for
        return {"percent": 100}
    described = {
        "percent": step.percent,
        "pause": MANUAL if step.pause is None else format_duration(step.pause),
    }
    return described | ({"approval": True} if step.approval else {})
