"""All proxies: which are connected, what each has acknowledged, what each reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ResourceTypeFacts:
    """One resource type (CDS, EDS, LDS, RDS) on one proxy. Versions are content hashes."""

    type: str
    sent: str
    acknowledged: str
    rejected: str  # text of the NACK that stands, empty: none
    subscriptions: int
    nacks: int = 0  # since the proxy connected


@dataclass(frozen=True, slots=True)
class ProxyFacts:
    """A known proxy and what is seen of it now. Times are seconds since the epoch, None: never."""

    id: str
    gateway: str
    version: str
    first_seen: float
    last_seen: float
    connected_since: float | None = None
    reported_at: float | None = None  # its last report of statistics
    types: tuple[ResourceTypeFacts, ...] = ()
    has_namesake: bool = False  # another Envoy reports under the same id
    refused: str = ""  # why it is turned away; then it is not known, and nothing waits for it

    @property
    def is_connected(self) -> bool:
        return self.connected_since is not None
