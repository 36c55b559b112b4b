"""Something of the user's own that is told of a release, or asked, at one of its moments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bluegreen.model.secret import Secret


class Moment(StrEnum):
    BEFORE_DEPLOY = "before-deploy"  # nothing of the deployment is known to a proxy yet
    BEFORE_SHIFT = "before-shift"  # a promotion was asked for; no weight has moved
    AFTER_SHIFT = "after-shift"  # the candidate has all traffic, acknowledged by every proxy
    AFTER_ROLLBACK = "after-rollback"  # the traffic is back, acknowledged by every proxy
    AFTER_RETIRE = "after-retire"  # no proxy leads to the deployment any more: it may be stopped


class OnHookFailure(StrEnum):
    """What a hook that fails does to what it was asked about. An `after` hook can only be ignored."""

    ABORT = "abort"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Hook:
    """Either a POST to `url` (2xx is well) or a `command` (exit 0 is well). It may be run a second time where
    the control plane was killed in between: `BLUEGREEN_KEY`, or `key` in the JSON, is then the same."""

    name: str
    moment: Moment
    url: str | None = None
    command: tuple[str, ...] = ()
    headers: Mapping[str, Secret] | None = None
    timeout: float = 30.0
    on_failure: OnHookFailure = OnHookFailure.ABORT
