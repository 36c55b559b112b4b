"""What figures say about a condition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.model.analysis import Analysis
from bluegreen.model.condition import parse_condition
from bluegreen.model.latency import BEYOND
from bluegreen.model.revision_figures import RevisionFigures, ServiceFigures
from bluegreen.model.verdict import Finding, Verdict
from bluegreen.rollout.analysis.condition_verdict import GATEWAY_CONDITION, Seen, judge, watched_conditions
from tests.rollout.analysis.figures import ACTIVE, CANDIDATE, figures


def judged(text: str, seen: ServiceFigures, active: int | None = ACTIVE) -> Finding | None:
    return judge(parse_condition(text), Seen(seen, CANDIDATE, active, min_requests=50, window=30.0))


def verdict(text: str, candidate: RevisionFigures, active: RevisionFigures | None = None) -> Verdict:
    finding = judged(text, figures(candidate, active))
    assert finding is not None
    return finding.verdict


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("success_rate >= 95", Verdict.PASS),
        ("success_rate > 95", Verdict.FAIL),
        ("success_rate >= 95.1", Verdict.FAIL),
        ("error_rate <= 5", Verdict.PASS),
        ("error_rate < 5", Verdict.FAIL),
        ("reset_rate <= 2", Verdict.PASS),
        ("reset_rate <= 1.9", Verdict.FAIL),
        ("connect_failure_rate <= 1", Verdict.PASS),
        ("connect_failure_rate < 1", Verdict.FAIL),
        ("request_rate >= 5", Verdict.PASS),
        ("request_rate > 5", Verdict.FAIL),
        ("request_rate <= 4", Verdict.FAIL),
    ],
)
def test_each_metric_is_compared_with_its_threshold(text: str, wanted: Verdict) -> None:
    seen = RevisionFigures(seconds=20, answers=100, failures=5, resets=2, connect_failures=1)
    assert verdict(text, seen) is wanted


def test_the_summary_has_the_figures() -> None:
    finding = judged("success_rate >= 99.9 %", figures(RevisionFigures(answers=125, failures=6)))
    assert finding == Finding(
        "success_rate >= 99.9 %", Verdict.FAIL, "success_rate 95.2 % of 125 answers, wanted >= 99.9 %"
    )


def test_of_too_few_answers_nothing_is_concluded() -> None:
    finding = judged("success_rate >= 99", figures(RevisionFigures(answers=49, failures=49)))
    assert finding is not None
    assert (finding.verdict, finding.summary) == (Verdict.INCONCLUSIVE, "49 answers, 1 too few to tell")
    assert verdict("p99 <= 250ms", RevisionFigures(answers=900, latencies={5.0: 49})) is Verdict.INCONCLUSIVE


def test_a_revision_that_nothing_is_known_of_is_inconclusive() -> None:
    for text in ("success_rate >= 99", "p99 <= 250ms", "request_rate >= 5", "gateway_error_rate <= 1"):
        finding = judged(text, ServiceFigures())
        assert finding is not None
        assert finding.verdict is Verdict.INCONCLUSIVE


def test_latencies() -> None:
    seen = RevisionFigures(answers=100, latencies={100.0: 90, 250.0: 10})
    assert verdict("p50 <= 60ms", seen) is Verdict.PASS
    assert verdict("p90 <= 100ms", seen) is Verdict.PASS
    assert verdict("p99 <= 200ms", seen) is Verdict.FAIL
    finding = judged("p99 <= 200ms", figures(seen))
    assert finding is not None
    assert finding.summary == "p99 235 ms of 100 measured latencies, wanted <= 200 ms"


def test_relative_to_the_active_revision() -> None:
    slow, quick = RevisionFigures(latencies={200.0: 0, 400.0: 99}), RevisionFigures(latencies={100.0: 60})
    assert verdict("p50 <= 1.2 x active", slow, quick) is Verdict.FAIL
    assert verdict("p50 <= 6 x active", slow, quick) is Verdict.PASS
    finding = judged("p50 <= 1.2 x active", figures(slow, quick))
    assert finding is not None
    assert finding.summary == (
        "p50 300 ms of 99 measured latencies, wanted <= 60 ms: "
        "1.2 x the active revision's, of 60 measured latencies"
    )


def test_too_few_answers_of_the_active_revision() -> None:
    finding = judged(
        "error_rate <= active", figures(RevisionFigures(answers=900), RevisionFigures(answers=20))
    )
    assert finding is not None
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert finding.summary == "of the active revision 20 answers, 30 too few to tell"


def test_without_an_active_revision_only_absolute_conditions_apply() -> None:
    seen = figures(RevisionFigures(answers=900))
    assert judged("error_rate <= active", seen, active=None) is None
    assert judged("error_rate <= 1", seen, active=None) is not None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("p99 <= 90s", Verdict.INCONCLUSIVE),  # may be, may be not
        ("p99 <= 60s", Verdict.FAIL),
        ("p99 <= 250ms", Verdict.FAIL),
        ("p50 <= 250ms", Verdict.PASS),
    ],
)
def test_beyond_the_last_bucket_nothing_is_proved(text: str, wanted: Verdict) -> None:
    seen = RevisionFigures(answers=100, latencies={10.0: 90, 60_000.0: 0, BEYOND: 10})
    assert verdict(text, seen) is wanted
    if wanted is not Verdict.PASS:
        finding = judged(text, figures(seen))
        assert finding is not None
        assert "p99 beyond the last bucket, more than 60000 ms, of 100" in finding.summary


def test_against_an_active_revision_beyond_its_last_bucket() -> None:
    stuck = RevisionFigures(latencies={1_000.0: 0, BEYOND: 99})
    assert verdict("p99 <= active", RevisionFigures(latencies={500.0: 99}), stuck) is Verdict.PASS
    assert verdict("p99 <= active", RevisionFigures(latencies={5_000.0: 99}), stuck) is Verdict.INCONCLUSIVE
    assert verdict("p99 <= active", stuck, stuck) is Verdict.INCONCLUSIVE


def test_who_is_not_heard_makes_no_pass_and_undoes_no_failure() -> None:
    good, bad = RevisionFigures(answers=100), RevisionFigures(answers=100, failures=50)
    finding = judged("success_rate >= 99", figures(good, unheard=("edge-1", "edge-2")))
    assert finding is not None
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert "nothing is known of edge-1, edge-2" in finding.summary
    finding = judged("success_rate >= 99", figures(RevisionFigures(answers=9), unheard=("edge-1",)))
    assert finding is not None
    assert finding.summary == (
        "9 answers, 41 too few to tell; and nothing is known of edge-1, not heard of late"
    )
    finding = judged("success_rate >= 99", figures(bad, unheard=("edge-1",)))
    assert finding is not None
    assert finding.verdict is Verdict.FAIL


def test_many_who_are_not_heard_are_counted() -> None:
    unheard = tuple(f"edge-{n}" for n in range(2000))
    finding = judged("success_rate >= 99", figures(RevisionFigures(answers=100), unheard=unheard))
    assert finding is not None
    assert "edge-4 and 1995 more" in finding.summary


def test_no_requests_at_all_fail_a_rate_of_requests_once_half_the_window_is_known() -> None:
    assert verdict("request_rate >= 5", RevisionFigures(seconds=14)) is Verdict.INCONCLUSIVE
    assert verdict("request_rate >= 5", RevisionFigures(seconds=15)) is Verdict.FAIL


def test_errors_of_the_gateways_are_watched_unless_something_else_is_said_of_them() -> None:
    watched = watched_conditions(Analysis(conditions=(parse_condition("success_rate >= 99"),)))
    assert watched[-1] is GATEWAY_CONDITION
    own = parse_condition("gateway_error_rate <= 0.1")
    assert watched_conditions(Analysis(conditions=(own,))) == (own,)
    finding = judged("gateway_error_rate <= 1", figures(RevisionFigures(answers=98), gateway_failures=2))
    assert finding is not None
    assert finding.summary == "gateway_error_rate 2 % of 100 answers of the gateways, wanted <= 1 %"
    assert finding.verdict is Verdict.FAIL


def test_what_nobody_wrote_of_the_gateways_holds_nothing_up_for_want_of_requests() -> None:
    few = figures(RevisionFigures(answers=3))
    assert judge(GATEWAY_CONDITION, Seen(few, CANDIDATE, ACTIVE, min_requests=50, window=30.0)) is None
    assert judged("gateway_error_rate <= 0.5", few) is not None, "what somebody wrote does"
    silent = figures(RevisionFigures(answers=3), unheard=("edge-1",))
    finding = judge(GATEWAY_CONDITION, Seen(silent, CANDIDATE, ACTIVE, min_requests=50, window=30.0))
    assert finding is not None
    assert finding.verdict is Verdict.INCONCLUSIVE


_COUNTS = st.integers(0, 10_000)
_FIGURES = st.builds(
    lambda answers, failures, latencies: RevisionFigures(
        30.0, answers, min(failures, answers), latencies=latencies
    ),
    _COUNTS,
    _COUNTS,
    st.dictionaries(st.sampled_from([1.0, 10.0, 250.0, 60_000.0, BEYOND]), _COUNTS),
)


@given(
    text=st.sampled_from(
        [
            "success_rate >= 99",
            "error_rate <= 1.5 x active",
            "p99 <= 250ms",
            "p90 <= 2 x active",
            "request_rate >= 5",
        ]
    ),
    candidate=_FIGURES,
    active=_FIGURES,
    unheard=st.sampled_from([(), ("edge-1",)]),
)
def test_a_pass_rests_on_enough_and_on_all(
    text: str, candidate: RevisionFigures, active: RevisionFigures, unheard: tuple[str, ...]
) -> None:
    finding = judged(text, figures(candidate, active, unheard))
    assert finding is not None
    if finding.verdict is Verdict.PASS:
        assert not unheard
        assert (
            text.startswith("request_rate") or max(candidate.answers, sum(candidate.latencies.values())) >= 50
        )
    if finding.verdict is Verdict.FAIL and "%" in finding.summary:
        assert candidate.failures > 0
