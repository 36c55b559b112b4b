"""A gate that was asked, and its verdict: a durable record, wanted before it is begun."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bluegreen.model.verdict import Finding, Verdict


class CheckKind(StrEnum):
    TESTS = "tests"  # of an idle version, through the preview listeners
    TESTS_OF_ACTIVE = "tests-of-active"  # the same, of the active version, through the production listeners
    HOOKS = "hooks"  # of one moment, which `subject` names
    ANALYSIS = "analysis"  # of one step, or of the time in which the old version stays warm
    APPROVAL = "approval"  # by a person, of leaving a step


@dataclass(frozen=True, slots=True)
class Check:
    """Numbered per service, from 1. Times are seconds since the epoch.

    `verdict` is None until it is known: who drives the service runs every such check, again after a restart.
    `step` is an index into the steps of `rollout`; None: the rollout as a whole, or none.
    """

    id: int
    service: str
    kind: CheckKind
    deployment: int  # revision
    wanted_at: float
    subject: str = ""
    rollout: int | None = None
    step: int | None = None
    verdict: Verdict | None = None
    finished_at: float | None = None
    summary: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.verdict is None

    @property
    def is_ahead(self) -> bool:
        """Whether something waits for its verdict: it is no hook that only hears of what has been done."""
        return not self.subject.startswith("after-")

    @property
    def has_passed(self) -> bool:
        return self.verdict is Verdict.PASS
