"""Everything that must hold before and while a version of a service takes traffic."""

from __future__ import annotations

from dataclasses import dataclass

from bluegreen.model.acceptance_test import AcceptanceTest
from bluegreen.model.analysis import Analysis
from bluegreen.model.hook import Hook, Moment


@dataclass(frozen=True, slots=True)
class Gates:
    """`min_healthy`: percent of its instances that every proxy must see healthy before any step."""

    min_healthy: float = 100.0
    tests: tuple[AcceptanceTest, ...] = ()
    analysis: Analysis | None = None
    hooks: tuple[Hook, ...] = ()

    def hooks_at(self, moment: Moment) -> tuple[Hook, ...]:
        return tuple(hook for hook in self.hooks if hook.moment is moment)
