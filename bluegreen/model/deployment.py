"""One version put into one environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from bluegreen.model.endpoint import Endpoint
from bluegreen.model.environment import Environment
from bluegreen.model.pool import Instance, InstanceState
from bluegreen.model.provisioning import Provisioning
from bluegreen.model.service import CONNECT, HealthCheck, Upstream


class Status(StrEnum):
    """Where a deployment stands; `deployment_store.state_machine` has the ways between."""

    EXPANDING = "expanding"  # the shared database gets what it needs; nothing of it is running yet
    DEPLOYING = "deploying"  # its instances are being made known to every proxy
    READY = "ready"  # every proxy reports it healthy; no production traffic
    SHIFTING = "shifting"  # an open rollout gives it a share of the traffic
    ACTIVE = "active"  # it has the production traffic
    DRAINING = "draining"  # it finishes what it has begun; nothing new arrives
    STANDBY = "standby"  # empty and warm: the way back
    RETIRED = "retired"  # over; its instances may be stopped once it is released
    FAILED = "failed"  # over; it never became active

    @property
    def is_open(self) -> bool:
        """Whether it still occupies its environment."""
        return self not in (Status.RETIRED, Status.FAILED)


@dataclass(frozen=True, slots=True)
class Deployment:
    """`revision` numbers the deployments of a service, from 1. Times are seconds since the epoch."""

    service: str
    revision: int
    version: str
    environment: Environment
    status: Status
    endpoints: tuple[Endpoint, ...]
    deployed_at: float
    status_since: float
    # As the service was described when it was deployed: a version that speaks another protocol is another
    # deployment, and the instances of this one go on being spoken to as they understand it.
    upstream: Upstream = field(default_factory=Upstream)
    health_check: HealthCheck | None = CONNECT
    activated_at: float | None = None
    # Every proxy has acknowledged its clusters and reports them healthy: routes may name it.
    prepared_at: float | None = None
    # When the present status ends by itself: the drain's deadline, or the end of the warm time.
    deadline_at: float | None = None
    # Over, and proved idle: the proxies are told to drop its clusters.
    withdrawn_at: float | None = None
    # No proxy holds any of it any more: its instances may be stopped.
    released_at: float | None = None
    # Why it failed, or how its drain ended.
    note: str = ""
    # How its instances come about; None: they were handed in, and what follows does not apply. `endpoints`
    # are then those of the instances that the proxies know, and change with them.
    provisioning: Provisioning | None = None
    full_capacity: int = 0  # instances that it has while it takes traffic
    capacity: int = 0  # instances that are wanted now
    instances: tuple[Instance, ...] = ()  # as last reported
    leaving: tuple[str, ...] = ()  # ids of instances that get no new requests
    leaving_since: float | None = None  # when the last change of that was decided
    gone: tuple[str, ...] = ()  # those among them that no proxy knows any more: they may be stopped
    # Its instances are stopped, after it was released.
    stopped_at: float | None = None

    @property
    def is_held(self) -> bool:
        """Whether proxies may still hold its clusters."""
        return self.released_at is None

    @property
    def has_instances(self) -> bool:
        """Whether instances that were provided for it may still run."""
        return self.provisioning is not None and self.stopped_at is None

    @property
    def expected(self) -> int:
        """How many healthy instances every proxy shall see."""
        return self.capacity if self.provisioning is not None else len(self.endpoints)

    @property
    def up(self) -> int:
        """How many instances may be sent requests, as whoever provides them says."""
        gone = set(self.gone)
        return sum(each.state is InstanceState.UP and each.id not in gone for each in self.instances)

    @property
    def draining(self) -> tuple[Endpoint, ...]:
        """The endpoints that are still known to the proxies and get no new requests."""
        leaving = set(self.leaving)
        return tuple(
            each.endpoint
            for each in self.instances
            if each.id in leaving or each.state is InstanceState.DRAINING
        )

    @property
    def unhealthy(self) -> tuple[Endpoint, ...]:
        """The endpoints of instances of which their provisioner says that they cannot serve."""
        return tuple(each.endpoint for each in self.instances if each.state is InstanceState.UNHEALTHY)
