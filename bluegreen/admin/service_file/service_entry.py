"""A service as the service file writes it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from bluegreen.admin.service_file.database_entry import DatabaseEntry
from bluegreen.admin.service_file.entry import Entry
from bluegreen.admin.service_file.fields import (
    Address,
    Distinct,
    Domain,
    Duration,
    GatewayName,
    Timespan,
    UrlPath,
)
from bluegreen.admin.service_file.gates_entry import GatesEntry
from bluegreen.admin.service_file.instances_entry import InstancesEntry
from bluegreen.admin.service_file.route_entry import RouteEntry
from bluegreen.admin.service_file.steering_entry import AffinityEntry, ManualRoutingOrNone, MirrorEntry
from bluegreen.admin.service_file.strategy_entry import StrategyEntry, StrategyOrAtomic
from bluegreen.model.description import NO_HEALTH_CHECK, PROVISIONER
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.environment import Environment
from bluegreen.model.service import Drain, HealthCheck, HealthCheckType, Protocol, Service, Upstream

_UPSTREAM = Upstream()
_HEALTH_CHECK = HealthCheck()
_DRAIN = Drain()
_KEEP_WARM = Service("", (), ()).keep_warm

Limit = Annotated[int, Field(ge=1, le=2**31 - 1)]
Threshold = Annotated[int, Field(ge=1, le=1000)]


class UpstreamEntry(Entry):
    """How the proxies speak to the instances."""

    protocol: Annotated[Protocol, Field(strict=False)] = _UPSTREAM.protocol
    connect_timeout: Timespan = _UPSTREAM.connect_timeout
    idle_timeout: Timespan = _UPSTREAM.idle_timeout
    """Must stay below the instances' own keep-alive timeout."""
    max_connections: Limit = _UPSTREAM.max_connections
    max_requests: Limit = _UPSTREAM.max_requests
    panic_threshold: Annotated[int, Field(ge=0, le=100)] = _UPSTREAM.panic_threshold
    """Percent of healthy instances below which Envoy uses them all."""

    def build(self) -> Upstream:
        return Upstream(**dict(self))


def _asked(check: HealthCheckType) -> HealthCheckType:
    if check is HealthCheckType.PROVISIONER:
        raise ValueError("write health_check: provisioner, which has no settings.")
    return check


AskedType = Annotated[
    HealthCheckType,
    Field(strict=False),
    AfterValidator(_asked),
    WithJsonSchema({"enum": sorted(set(HealthCheckType) - {HealthCheckType.PROVISIONER})}),
]


class HealthCheckEntry(Entry):
    """How the proxies find out which instances can serve."""

    type: AskedType | None = None
    """By default http, and for a gRPC service grpc."""
    path: UrlPath | None = None
    """Asked for with type http; /healthz by default."""
    interval: Timespan = _HEALTH_CHECK.interval
    timeout: Timespan = _HEALTH_CHECK.timeout
    healthy_threshold: Threshold = _HEALTH_CHECK.healthy_threshold
    unhealthy_threshold: Threshold = _HEALTH_CHECK.unhealthy_threshold

    @model_validator(mode="after")
    def _path_of_http(self) -> HealthCheckEntry:
        if self.path is not None and self.type not in (None, HealthCheckType.HTTP):
            raise ValueError(f"path is for type http; type {self.type} asks for none.")
        return self

    def build(self, protocol: Protocol) -> HealthCheck:
        grpc = protocol is Protocol.GRPC and self.path is None
        return HealthCheck(
            path=self.path or _HEALTH_CHECK.path,
            interval=self.interval,
            timeout=self.timeout,
            healthy_threshold=self.healthy_threshold,
            unhealthy_threshold=self.unhealthy_threshold,
            type=self.type or (HealthCheckType.GRPC if grpc else HealthCheckType.HTTP),
        )


def _from_word(value: Any) -> Any:
    if value == PROVISIONER:
        return HealthCheckEntry.model_construct(type=HealthCheckType.PROVISIONER)
    return None if value == NO_HEALTH_CHECK else value


HealthCheckOrWord = Annotated[
    HealthCheckEntry | None,
    BeforeValidator(
        _from_word, json_schema_input_type=Literal["none", "provisioner"] | HealthCheckEntry | None
    ),
]


class EnvironmentEntry(Entry):
    """Where the instances of an environment listen, unless `deploy --endpoint` says otherwise."""

    endpoints: Annotated[list[Address], Field(min_length=1, max_length=10_000), Distinct]


class EnvironmentsEntry(Entry):
    """The two places that a service owns."""

    blue: EnvironmentEntry | None = None
    green: EnvironmentEntry | None = None

    @model_validator(mode="after")
    def _apart(self) -> EnvironmentsEntry:
        built = self.build()
        shared = set(built.get(Environment.BLUE, ())) & set(built.get(Environment.GREEN, ()))
        if shared:
            raise ValueError(f"blue and green share {min(shared)}; each needs instances of its own.")
        return self

    def build(self) -> dict[Environment, tuple[Endpoint, ...]]:
        entries = {Environment.BLUE: self.blue, Environment.GREEN: self.green}
        return {name: tuple(entry.endpoints) for name, entry in entries.items() if entry is not None}


class DrainEntry(Entry):
    """How the old environment is emptied."""

    grace: Duration = _DRAIN.grace
    """After the last acknowledgement, for requests that a filter ahead of the router still holds."""
    deadline: Timespan = _DRAIN.deadline
    """Draining ends then, whatever is still pinned."""

    @model_validator(mode="after")
    def _grace_within(self) -> DrainEntry:
        if self.grace > self.deadline:
            raise ValueError("grace must not be longer than deadline.")
        return self

    def build(self) -> Drain:
        return Drain(self.grace, self.deadline)


class ServiceEntry(Entry):
    """Something with a production entry behind Envoy."""

    gateways: Annotated[list[GatewayName], Field(min_length=1, max_length=100)]
    domains: Annotated[list[Domain], Field(min_length=1, max_length=1000)]
    routes: list[RouteEntry] = Field(default_factory=lambda: [RouteEntry()], min_length=1, max_length=1000)
    """By default one: prefix /."""
    upstream: UpstreamEntry = UpstreamEntry()
    health_check: HealthCheckOrWord = HealthCheckEntry(type=HealthCheckType.CONNECT)
    """By default type connect: whether an instance takes a connection. With none, each counts as healthy;
    with provisioner, whoever provides the `instances` says how they are."""
    environments: EnvironmentsEntry = EnvironmentsEntry()
    instances: InstancesEntry | None = None
    """How they come about; by default `deploy` is told where they listen, or `environments` is."""
    database: DatabaseEntry | None = None
    """That both versions share, where its schema is changed with their releases."""
    strategy: StrategyOrAtomic = StrategyEntry()
    drain: DrainEntry = DrainEntry()
    keep_warm: Duration = _KEEP_WARM
    """How long the old environment stays ready for the way back."""
    affinity: AffinityEntry | None = None
    """Keeps each user on one side while the weights move."""
    manual_routing: ManualRoutingOrNone = None
    """Sends requests with a secret header to the candidate."""
    mirror: MirrorEntry | None = None
    """Copies a share of the requests to the candidate."""
    gates: GatesEntry = GatesEntry()
    """What must hold before and while a version takes traffic."""

    @field_validator("mirror")
    @classmethod
    def _not_of_grpc(cls, mirror: MirrorEntry | None, info: ValidationInfo) -> MirrorEntry | None:
        upstream = info.data.get("upstream")
        if mirror is not None and upstream is not None and upstream.protocol is Protocol.GRPC:
            raise ValueError(
                "gRPC requests cannot be copied: they do not tell their length, and one to a candidate that "
                "does not read would hold up the original."
            )
        return mirror

    def build(self, name: str) -> Service:
        return Service(
            name=name,
            gateways=tuple(self.gateways),
            domains=tuple(self.domains),
            routes=tuple(route.build() for route in self.routes),
            upstream=self.upstream.build(),
            health_check=self.health_check.build(self.upstream.protocol) if self.health_check else None,
            strategy=self.strategy.build(),
            drain=self.drain.build(),
            keep_warm=self.keep_warm,
            endpoints=self.environments.build(),
            affinity=self.affinity.build() if self.affinity else None,
            manual_routing=self.manual_routing.build() if self.manual_routing else None,
            mirror=self.mirror.build() if self.mirror else None,
            gates=self.gates.build(),
            provisioning=self.instances.build() if self.instances else None,
            database=self.database.build() if self.database else None,
        )
