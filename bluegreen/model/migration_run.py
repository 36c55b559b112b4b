"""One phase of a version's migrations, asked for: a durable record, wanted before it is begun."""

from __future__ import annotations

from dataclasses import dataclass

from bluegreen.model.migration import MigrationName, Phase
from bluegreen.model.verdict import Finding, Verdict


@dataclass(frozen=True, slots=True)
class MigrationRun:
    """Numbered per service, from 1. Times are seconds since the epoch.

    `deployment` is the revision that it belongs to; None: the version is not deployed yet. It is run once
    `begun_at` is set: until then something else has to come to its end. `verdict` is None until it is over:
    who drives the service runs it, again after a restart.
    """

    id: int
    service: str
    version: str
    phase: Phase
    wanted_at: float
    author: str
    deployment: int | None = None
    accept_drift: bool = False
    begun_at: float | None = None
    verdict: Verdict | None = None
    finished_at: float | None = None
    summary: str = ""
    findings: tuple[Finding, ...] = ()
    # Files of this version that are still to come, as far as this run could see.
    backfills_left: tuple[MigrationName, ...] = ()
    contracts_left: tuple[MigrationName, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.verdict is None

    @property
    def has_passed(self) -> bool:
        return self.verdict is Verdict.PASS
