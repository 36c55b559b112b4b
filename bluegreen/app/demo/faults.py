"""What is wrong with a version of the demo application: on purpose, and the same in every run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FAULT_HEADER = "x-demo-fault"
"""In every answer that is damaged on purpose: the version that damaged it, so that no other failure can be
taken for one."""

FAULT_STATUS = 500


@dataclass(frozen=True, slots=True)
class Faults:
    """`fail_smoke`: `/smoke` is answered with 500. `fail_every`: so is one request in so many, the first time
    half-way to it. `slow`: seconds that an answer takes longer once `slow_after` requests have come. Each
    process counts its own, without those to `/smoke`."""

    fail_smoke: bool = False
    fail_every: int = 0
    slow: float = 0.0
    slow_after: int = 0

    def __post_init__(self) -> None:
        if min(self.fail_every, self.slow, self.slow_after) < 0:
            raise ValueError("faults are counted from 0")

    def fails(self, number: int) -> bool:
        """Whether the request of that number, from 1, is answered with 500."""
        return self.fail_every > 0 and number % self.fail_every == self.fail_every // 2

    def delay(self, number: int) -> float:
        """Seconds that the answer to it takes longer."""
        return self.slow if number > self.slow_after else 0.0


BAD_VERSIONS: Mapping[str, Faults] = {
    "v3": Faults(fail_smoke=True),
    "v4": Faults(fail_every=50),
    "v5": Faults(slow=0.5, slow_after=10),
}
"""Of the demo's versions; the others are good."""
