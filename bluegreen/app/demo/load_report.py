"""What the load tells: one report an interval, and one over the whole run at the end."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True)
class Tally:
    """Finished requests of one target: all, the failed by kind, the right by the version that answered."""

    requests: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from when a request should have begun to its answer, less the time it was asked to take."""

    p50: float = 0.0
    p90: float = 0.0
    p99: float = 0.0
    highest: float = 0.0


@dataclass(frozen=True, slots=True)
class Connections:
    """`opened` by us; `lost`: closed, reset or sent away (GOAWAY) by the other side, in a request or not."""

    opened: int = 0
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Damage:
    """What a version damaged on purpose: requests it `failed`, and those it answered right but `late` (which
    count as answers too). `first_at`: when the first of them came, in seconds since the epoch."""

    failed: int = 0
    late: int = 0
    first_at: float = 0.0

    @property
    def requests(self) -> int:
        return self.failed + self.late

    def and_later(self, more: Damage) -> Damage:
        """Both together, this one being the earlier."""
        return Damage(self.failed + more.failed, self.late + more.late, self.first_at or more.first_at)


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What happened in the `span` seconds before `at` (seconds since the load began); when `final`, in all.

    `examples` explain a few of the failures. `damage` is by version, and no part of the failures.
    """

    at: float
    span: float
    final: bool
    in_flight: int
    targets: Mapping[str, Tally]
    latency: Latency
    connections: Connections
    examples: tuple[str, ...] = ()
    damage: Mapping[str, Damage] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        """Requests that finished, well or not."""
        return sum(tally.requests for tally in self.targets.values())

    @property
    def failures(self) -> Mapping[str, int]:
        """Failed requests by kind."""
        return sum((Counter(tally.failures) for tally in self.targets.values()), Counter())

    @property
    def failed(self) -> int:
        """Requests that failed."""
        return sum(self.failures.values())

    @property
    def versions(self) -> Mapping[str, int]:
        """Right answers by version."""
        return sum((Counter(tally.versions) for tally in self.targets.values()), Counter())

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str) -> Self:
        """From what `to_json` made. Raises ValueError."""
        try:
            fields = json.loads(line)
            fields["targets"] = {name: Tally(**tally) for name, tally in fields["targets"].items()}
            fields["latency"] = Latency(**fields["latency"])
            fields["connections"] = Connections(**fields["connections"])
            fields["damage"] = {name: Damage(**damage) for name, damage in fields["damage"].items()}
            fields["examples"] = tuple(fields["examples"])
            return cls(**fields)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a load report: {line[:200]!r}") from error
