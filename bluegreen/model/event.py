"""What happened, to whom, by whom and why: appended, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Origin:
    """Who asked, and the reason given.

    `key` makes a command that is sent twice act once: the second time it is answered as the first time was.
    """

    actor: str
    reason: str = ""
    key: str = ""


CONTROLLER = Origin("controller")
"""The origin of what the rollout controller decides by itself."""


class What(StrEnum):
    """Kinds of events. Those in the first group are the state machine's: they change a status."""

    EXPANDED = "expanded"  # expanding -> deploying
    PREPARED = "prepared"  # deploying -> ready
    FAILED = "failed"
    SHIFT_STARTED = "shift-started"
    SHIFT_ABORTED = "shift-aborted"
    ACTIVATED = "activated"
    REACTIVATED = "reactivated"
    DRAIN_STARTED = "drain-started"
    DRAINED = "drained"
    SUPERSEDED = "superseded"
    TESTED_AGAIN = "tested-again"  # ready -> deploying
    RETIRED = "retired"

    APPLIED = "applied"
    DEPLOYED = "deployed"  # a deployment begins, in `expanding` or `deploying`
    CLUSTERS_PROVEN = "clusters-proven"
    WEIGHT_SET = "weight-set"
    WEIGHT_ACKNOWLEDGED = "weight-acknowledged"
    PAUSED = "paused"
    RESUMED = "resumed"
    CONTINUED = "continued"  # promoted by hand to the next step, or to the end
    TURNED_BACK = "turned-back"
    ROLLOUT_FINISHED = "rollout-finished"
    INSTANCES_CHANGED = "instances-changed"  # came up, went down, or cannot be had
    DISPARITY = "disparity"  # the environments differ, and somebody has taken that on
    SCALED = "scaled"  # another number of instances is wanted
    LEAVING = "leaving"  # instances get no new requests, or may be stopped
    STOPPED = "stopped"  # the instances of what was released
    CHECK_WANTED = "check-wanted"  # tests, hooks: they run from now on
    CHECKED = "checked"  # a gate has given its verdict
    APPROVED = "approved"
    MIGRATION_WANTED = "migration-wanted"  # it begins once nothing stands in its way
    MIGRATION_BEGUN = "migration-begun"
    MIGRATED = "migrated"  # a run of migrations is over, well or not
    LEDGER_LOST = "ledger-lost"  # a database was restored, and what it lost is not applied any more
    WITHDRAWN = "withdrawn"
    RELEASED = "released"
    PROXY_SEEN = "proxy-seen"
    PROXY_FORGOTTEN = "proxy-forgotten"


@dataclass(frozen=True, slots=True)
class Event:
    """`before` and `after` are statuses for the state machine's events, percents for weights.

    `id` is 0 until the store has given one; `at` is seconds since the epoch. `traffic_before` and
    `traffic_after` are the weights around it ("blue 90, green 10"), `snapshot` the version of what the switch
    is told from then on: equal state has an equal version.
    """

    at: float
    service: str  # empty for what concerns no single service
    what: What
    origin: Origin
    message: str
    before: str = ""
    after: str = ""
    deployment: int | None = None  # revision
    rollout: int | None = None
    id: int = 0
    traffic_before: str = ""
    traffic_after: str = ""
    snapshot: str = ""
