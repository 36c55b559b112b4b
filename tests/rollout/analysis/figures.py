"""Figures as a test needs them, and a service that answers by the clock."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bluegreen.model.revision_figures import RevisionFigures, ServiceFigures

CANDIDATE, ACTIVE = 2, 1


def figures(
    candidate: RevisionFigures | None = None,
    active: RevisionFigures | None = None,
    unheard: tuple[str, ...] = (),
    gateway_failures: int = 0,
) -> ServiceFigures:
    revisions = {CANDIDATE: candidate or RevisionFigures(), ACTIVE: active or RevisionFigures()}
    answers = sum(each.answers for each in revisions.values())
    return ServiceFigures(revisions, unheard, answers + gateway_failures, gateway_failures)


@dataclass(slots=True)
class Traffic:
    """Seconds of it, one after the other: what each revision answered in the second that ends there."""

    seconds: dict[float, dict[int, RevisionFigures]] = field(default_factory=dict)
    unheard: tuple[str, ...] = ()

    def add(self, until: float, **answered: RevisionFigures) -> None:
        """`candidate=` and `active=`."""
        by_revision = {CANDIDATE: answered.get("candidate"), ACTIVE: answered.get("active")}
        self.seconds[until] = {key: value for key, value in by_revision.items() if value is not None}

    def since(self, moment: float) -> ServiceFigures:
        total: dict[int, RevisionFigures] = {CANDIDATE: RevisionFigures(), ACTIVE: RevisionFigures()}
        for until, second in self.seconds.items():
            if until > moment:
                total = {key: _sum(known, second.get(key), until) for key, known in total.items()}
        return replace(figures(total[CANDIDATE], total[ACTIVE]), unheard=self.unheard)


def _sum(known: RevisionFigures, more: RevisionFigures | None, at: float) -> RevisionFigures:
    if more is None:
        return replace(known, seconds=known.seconds + 1)
    latencies = {
        bound: known.latencies.get(bound, 0) + more.latencies.get(bound, 0)
        for bound in {*known.latencies, *more.latencies}
    }
    first = at if known.first_failure_at is None and more.failures else known.first_failure_at
    return RevisionFigures(
        known.seconds + 1,
        known.answers + more.answers,
        known.failures + more.failures,
        known.resets + more.resets,
        known.connect_failures + more.connect_failures,
        latencies,
        first,
    )
