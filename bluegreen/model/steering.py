"""Which requests of a service do not simply follow the weights."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
