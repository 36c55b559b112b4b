"""Which requests of a service do not simply follow the weights."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bluegreen.model.secret import Secret


class AffinitySource(StrEnum):
    """Where a request says whose it is."""

    HEADER = "header"
    COOKIE = "cookie"


@dataclass(frozen=True, slots=True)
class Affinity:
    """Requests with the same value in this header or cookie go to the same side, and change it at most once
    while the weight grows. Those without it go by chance."""

    source: AffinitySource
    name: str


@dataclass(frozen=True, slots=True)
class ManualRouting:
    """Requests whose header has this value go to the candidate, whatever its weight. It stands on the
    production entry, so whoever knows the value can reach a version that is not released."""

    header: str
    value: Secret


class MirroredMethods(StrEnum):
    """Which requests may be copied."""

    SAFE = "safe"  # GET, HEAD and OPTIONS: a copy asks, and changes nothing
    ALL = "all"  # a copied POST acts a second time wherever both versions write to


@dataclass(frozen=True, slots=True)
class Mirror:
    """A share of the production requests is copied to the candidate, whose answers nobody sees. `percent` has
    two decimals at most."""

    percent: float
    methods: MirroredMethods = MirroredMethods.SAFE
