"""What the figures of one look say about one condition."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

from bluegreen.model.analysis import Analysis
from bluegreen.model.condition import Comparison, Condition, Metric, parse_condition
from bluegreen.model.latency import is_beyond, quantile
from bluegreen.model.revision_figures import RevisionFigures, ServiceFigures
from bluegreen.model.verdict import Finding, Verdict

GATEWAY_CONDITION = parse_condition("gateway_error_rate <= 1")
"""Watched wherever nothing else is said of it: a gateway that fails on its own harms whatever version."""

KNOWN_SHARE = 0.5
"""Of the window that must be known before a rate of requests is told: a shorter stretch is mostly chance."""

_MAXIMUM_NAMES = 5


@dataclass(frozen=True, slots=True)
class Seen:
    """What is judged: the figures of the last `window` seconds at most, of the candidate, of the active
    revision where there is another one, and of the gateways."""

    figures: ServiceFigures
    candidate: int
    active: int | None
    min_requests: int
    window: float

    @property
    def needed(self) -> int:
        """Answers of which something is concluded."""
        return max(1, self.min_requests)

    def of(self, revision: int) -> RevisionFigures:
        return self.figures.revisions.get(revision, RevisionFigures())


@dataclass(frozen=True, slots=True)
class _Reading:
    """A metric's value, taken on `count` of `what`. `is_least`: it is more than that, unknown how much."""

    value: float
    count: int
    what: str
    is_least: bool = False

    @property
    def highest(self) -> float:
        return inf if self.is_least else self.value


def watched_conditions(analysis: Analysis) -> tuple[Condition, ...]:
    """Those that are written, and the one on the gateways where none is."""
    if any(each.metric is Metric.GATEWAY_ERROR_RATE for each in analysis.conditions):
        return analysis.conditions
    return (*analysis.conditions, GATEWAY_CONDITION)


def judge(condition: Condition, seen: Seen) -> Finding | None:
    """The finding is named like the condition. None where it compares with an active revision and there is
    none, as after a rollout; and where it is the one on the gateways that nobody wrote, which holds nothing
    up for want of requests.

    Of fewer than `min_requests` nothing is concluded. Nor does anything pass while a proxy is not heard.
    """
    if condition.of_active and seen.active is None:
        return None
    few = seen.figures.gateway_answers < seen.needed and not seen.figures.unheard
    if condition is GATEWAY_CONDITION and few:
        return None
    finding = _judge_what_is_heard(condition, seen)
    if finding.verdict is Verdict.FAIL or not seen.figures.unheard:
        return finding
    return Finding(condition.text, Verdict.INCONCLUSIVE, f"{finding.summary}; and {unheard(seen.figures)}")


def _judge_what_is_heard(condition: Condition, seen: Seen) -> Finding:
    candidate = _reading(condition.metric, seen.of(seen.candidate), seen)
    if isinstance(candidate, str):
        return Finding(condition.text, Verdict.INCONCLUSIVE, candidate)
    limit = _limit(condition, seen)
    if isinstance(limit, str):
        return Finding(condition.text, Verdict.INCONCLUSIVE, f"of the active revision {limit}")
    verdict = _compare(condition.comparison, candidate, limit)
    return Finding(condition.text, verdict, _summary(condition, candidate, limit))


def unheard(figures: ServiceFigures) -> str:
    """Whose reports are missing, as a sentence without its full stop."""
    names = figures.unheard
    more = f" and {len(names) - _MAXIMUM_NAMES} more" if len(names) > _MAXIMUM_NAMES else ""
    return f"nothing is known of {', '.join(names[:_MAXIMUM_NAMES])}{more}, not heard of late"


def _limit(condition: Condition, seen: Seen) -> _Reading | str:
    if not condition.of_active or seen.active is None:
        return _Reading(condition.threshold, 0, "")
    active = _reading(condition.metric, seen.of(seen.active), seen)
    if isinstance(active, str):
        return active
    return replace(active, value=condition.threshold * active.value)


def _summary(condition: Condition, candidate: _Reading, limit: _Reading) -> str:
    value, metric = _written(candidate.value, condition.metric), condition.metric
    text = f"{metric} {value} of {candidate.count} {candidate.what}"
    if candidate.is_least:
        text = f"{metric} beyond the last bucket, more than {value}, of {candidate.count} {candidate.what}"
    text = f"{text}, wanted {condition.comparison} {_written(limit.value, metric)}"
    if not condition.of_active:
        return text
    least = " or more, beyond its last bucket" if limit.is_least else ""
    return f"{text}{least}: {condition.threshold:g} x the active revision's, of {limit.count} {limit.what}"


def _written(value: float, metric: Metric) -> str:
    unit = " ms" if metric.share is not None else "/s" if metric is Metric.REQUEST_RATE else " %"
    return f"{value:.3f}".rstrip("0").rstrip(".") + unit


def _compare(comparison: Comparison, value: _Reading, limit: _Reading) -> Verdict:
    """Each stands for a range, up to infinity where it lies beyond the last bucket: where the ranges leave it
    open, so is the verdict."""
    match comparison:
        case Comparison.AT_MOST:
            beyond = value.is_least and value.value >= limit.highest
            holds, fails = value.highest <= limit.value, beyond or value.value > limit.highest
        case Comparison.LESS:
            holds, fails = value.highest < limit.value, value.value >= limit.highest
        case Comparison.AT_LEAST:
            holds, fails = value.value >= limit.highest, value.highest < limit.value
        case Comparison.GREATER:
            holds, fails = value.value > limit.highest, value.highest <= limit.value
    if holds:
        return Verdict.PASS
    return Verdict.FAIL if fails else Verdict.INCONCLUSIVE


def _reading(metric: Metric, figures: RevisionFigures, seen: Seen) -> _Reading | str:
    """The metric's value, or a sentence on what is missing."""
    service = seen.figures
    match metric:
        case Metric.SUCCESS_RATE:
            return _percentage(figures.answers - figures.failures, figures.answers, seen)
        case Metric.ERROR_RATE:
            return _percentage(figures.failures, figures.answers, seen)
        case Metric.RESET_RATE:
            return _percentage(figures.resets, figures.answers, seen)
        case Metric.CONNECT_FAILURE_RATE:
            return _percentage(figures.connect_failures, figures.answers, seen)
        case Metric.GATEWAY_ERROR_RATE:
            return _percentage(
                service.gateway_failures, service.gateway_answers, seen, "answers of the gateways"
            )
        case Metric.REQUEST_RATE:
            return _request_rate(figures, seen)
        case Metric.P50 | Metric.P90 | Metric.P99:
            return _latency(metric, figures, seen)


def _percentage(part: int, whole: int, seen: Seen, what: str = "answers") -> _Reading | str:
    return _too_few(whole, what, seen) or _Reading(100.0 * part / whole, whole, what)


def _latency(metric: Metric, figures: RevisionFigures, seen: Seen) -> _Reading | str:
    share, count = metric.share or 0.0, sum(figures.latencies.values())
    value = quantile(figures.latencies, share)
    if value is None or count < seen.min_requests:
        return _too_few(count, "measured latencies", seen)
    return _Reading(value, count, "measured latencies", is_beyond(figures.latencies, share))


def _request_rate(figures: RevisionFigures, seen: Seen) -> _Reading | str:
    # No requests at all is what such a condition is there to find, so no number of them is asked for.
    needed = KNOWN_SHARE * seen.window
    if figures.seconds < needed:
        return f"{figures.seconds:.0f} s are known, {needed:.0f} s are needed"
    return _Reading(figures.answers / figures.seconds, figures.answers, f"answers in {figures.seconds:.0f} s")


def _too_few(count: int, what: str, seen: Seen) -> str:
    """Empty where there are enough."""
    return f"{count} {what}, {seen.needed - count} too few to tell" if count < seen.needed else ""
