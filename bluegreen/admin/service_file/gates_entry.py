"""What must hold before and while a version takes traffic, as the service file writes it."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, PlainValidator, WithJsonSchema

from bluegreen.admin.service_file.acceptance_test_entry import AcceptanceTestEntry
from bluegreen.admin.service_file.analysis_entry import AnalysisEntry
from bluegreen.admin.service_file.entry import Entry
from bluegreen.admin.service_file.hook_entry import HooksEntry
from bluegreen.admin.service_file.problem import quote
from bluegreen.model.gates import Gates

_PERCENT = r"([0-9]{1,3}(?:\.[0-9]{1,2})?) ?%?"


def _percent(value: object) -> float:
    found = None if isinstance(value, bool) else re.fullmatch(_PERCENT, str(value))
    if found is None or not 1 <= float(found[1]) <= 100:
        raise ValueError(f"{quote(value)} is no percentage from 1% to 100%, with two decimals at most.")
    return float(found[1])


Percentage = Annotated[
    float,
    PlainValidator(_percent),
    WithJsonSchema(
        {
            "description": "Such as 100% or 66.6%; a number is percent.",
            "anyOf": [
                {"type": "string", "pattern": f"^{_PERCENT}$"},
                {"type": "number", "minimum": 1, "maximum": 100},
            ],
        }
    ),
]


class GatesEntry(Entry):
    """What must hold before and while a version takes traffic."""

    min_healthy: Percentage = Gates().min_healthy
    """Of the version's instances, as every proxy sees them, before each step."""
    tests: list[AcceptanceTestEntry] = Field(default_factory=list, max_length=50)
    """Through the preview, after each `deploy`. Only what has passed them all may take traffic."""
    analysis: AnalysisEntry | None = None
    """Watches a version while it takes traffic, and turns it back."""
    hooks: HooksEntry = HooksEntry()
    """Run at moments of a release."""

    def build(self) -> Gates:
        return Gates(
            min_healthy=self.min_healthy,
            tests=tuple(test.build() for test in self.tests),
            analysis=self.analysis.build() if self.analysis else None,
            hooks=self.hooks.build(),
        )
