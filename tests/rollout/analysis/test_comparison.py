"""The comparison, fed by what the switch really keeps of the reports: each answer counts once."""

from __future__ import annotations

import pytest

from bluegreen.model.analysis import Comparing
from bluegreen.model.revision_figures import ServiceFigures
from bluegreen.model.verdict import Verdict
from bluegreen.rollout.analysis.comparison import Comparison
from bluegreen.rollout.analysis.sequential_test import Counts, SequentialTest
from bluegreen.switches.envoy.metrics.counts import Figure
from bluegreen.switches.envoy.metrics.fleet_figures import FleetFigures, Growth, Question
from tests.rollout.analysis.figures import ACTIVE, CANDIDATE

BEGAN = 1_003.7
PROXIES = 3


def growth(began: float, at: float) -> Growth:
    """Of one proxy: nine answers of the active revision to one of the candidate, whatever the time."""
    seconds = round(at - began)
    return Growth(
        began,
        at,
        {
            ("shop", ACTIVE): {Figure.ANSWERS: 90 * seconds, Figure.ANSWERS_5XX: 9 * seconds},
            ("shop", CANDIDATE): {Figure.ANSWERS: 10 * seconds, Figure.ANSWERS_5XX: seconds},
        },
    )


@pytest.mark.parametrize("flush", [1, 5])
@pytest.mark.parametrize("interval", [0.5, 10.0])
@pytest.mark.parametrize("minutes", [3, 20])
def test_each_answer_counts_once(flush: int, interval: float, minutes: int) -> None:
    kept = FleetFigures()
    comparison = Comparison(SequentialTest(Comparing()), CANDIDATE, ACTIVE, BEGAN)
    reports = [
        BEGAN + proxy / PROXIES + flush * number
        for proxy in range(PROXIES)
        for number in range(-5, 60 * minutes // flush)
    ]
    looks = [BEGAN + interval * number for number in range(1, int(60 * minutes / interval))]
    moments = sorted([(at, False) for at in reports] + [(at, True) for at in looks])
    reported = told = 0
    for at, is_look in moments:

        def since(moment: float, now: float = at) -> ServiceFigures:
            return kept.of(Question("shop", (ACTIVE, CANDIDATE), ("edge",), moment, now, PROXIES))

        if is_look:
            finding = comparison.look(since, at, min_requests=50)
            told = reported
        else:
            kept.add("edge", growth(at - flush, at))
            reported += 10 * flush if at - flush >= BEGAN else 0  # what is from before does not count

    counted = comparison.test.candidate
    assert 0.97 * told < counted.answers <= told
    assert counted.failures == counted.answers // 10
    assert comparison.test.active == Counts(9 * counted.answers, 9 * counted.failures)
    assert finding.verdict is Verdict.PASS
