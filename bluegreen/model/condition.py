"""One thing that must hold while a version takes traffic, such as `p99 <= 1.2 x active`.

    condition := metric comparison ( number [unit] | [number "x"] "active" )

A unit is `%` for rates, `ms` (what a bare number means) or `s` for latencies, `/s` for `request_rate`.
A condition says what must hold, not what must not: one that only a bad version could meet (`error_rate > 5`),
or that every version or none meets (`success_rate > 100`), is refused, since it cannot be meant.
"""

from __future__ import annotations

import difflib
import re
from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from bluegreen.model.errors import InvalidInput

MAXIMUM_TEXT = 200
"""Characters of a condition."""

MAXIMUM_LATENCY = 3_600_000.0
"""Milliseconds: no proxy measures more than an hour (the last of Envoy's default histogram buckets)."""

MAXIMUM_REQUEST_RATE = 1e9
MAXIMUM_FACTOR = 1_000.0


class Metric(StrEnum):
    """What can be asked of a revision's requests within the window, all proxies together."""

    SUCCESS_RATE = "success_rate"  # percent of the answers that are no failure
    ERROR_RATE = "error_rate"  # percent of the answers that are: 5xx, for gRPC also statuses of the server
    RESET_RATE = "reset_rate"  # streams that the instances reset, and broken connections, in % of the answers
    CONNECT_FAILURE_RATE = "connect_failure_rate"  # connections that failed or timed out, in % of the answers
    P50 = "p50"  # latency in milliseconds
    P90 = "p90"
    P99 = "p99"
    REQUEST_RATE = "request_rate"  # answers a second
    GATEWAY_ERROR_RATE = "gateway_error_rate"  # 5xx of the gateways that no revision answered, in % of theirs

    @property
    def share(self) -> float | None:
        """The share of the requests below this latency; None for what is no latency."""
        return _SHARES.get(self)


class Comparison(StrEnum):
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="

    @property
    def is_limit(self) -> bool:
        """Whether less is better."""
        return self in (Comparison.LESS, Comparison.AT_MOST)


_SHARES = {Metric.P50: 0.5, Metric.P90: 0.9, Metric.P99: 0.99}
_OPPOSITES = {
    Comparison.LESS: Comparison.AT_LEAST,
    Comparison.AT_MOST: Comparison.GREATER,
    Comparison.GREATER: Comparison.AT_MOST,
    Comparison.AT_LEAST: Comparison.LESS,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """`text` is how it was written. `of_active`: the threshold is a factor of the active revision's figure
    over the same time. Else it is in percent, milliseconds, or requests a second, as the metric is."""

    text: str
    metric: Metric
    comparison: Comparison
    threshold: float
    of_active: bool = False


def parse_condition(text: str) -> Condition:
    """Raises InvalidInput, which says at which column (from 1) what was expected."""
    words = _Words(text)
    metric = _metric(words)
    comparison = _comparison(words)
    if words.take("active"):
        condition = Condition(text.strip(), metric, comparison, 1.0, of_active=True)
    else:
        condition = _with_number(words, metric, comparison)
    if words.next:
        raise words.wrong("the end")
    _refuse_what_cannot_be_meant(condition)
    return condition


class _Words:
    """The words of a condition from left to right; the last one is empty."""

    _WORD = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?(?![0-9.])|[A-Za-z_][A-Za-z0-9_]*|<=|>=|/s|\S")

    def __init__(self, text: str) -> None:
        if len(text) > MAXIMUM_TEXT:
            raise InvalidInput(f"A condition has at most {MAXIMUM_TEXT} characters, not {len(text)}.")
        self.text = text
        words = [(found[0], found.start() + 1) for found in self._WORD.finditer(text)]
        self._ahead = deque([*words, ("", len(text.rstrip()) + 1)])

    @property
    def next(self) -> str:
        return self._ahead[0][0]

    @property
    def column(self) -> int:
        """Of the next word, from 1."""
        return self._ahead[0][1]

    def read(self) -> str:
        return self._ahead.popleft()[0]

    def take(self, word: str) -> bool:
        """Whether it is this one; then it is read."""
        is_it = self.next == word
        if is_it:
            self.read()
        return is_it

    def wrong(self, expected: str) -> InvalidInput:
        found = repr(self.next) if self.next else "the end"
        return self.wrong_at(self.column, f"expected {expected}, found {found}")

    def wrong_at(self, column: int, what: str) -> InvalidInput:
        return InvalidInput(f"Condition {self.text!r}, column {column}: {what}.")


def _metric(words: _Words) -> Metric:
    known = [metric.value for metric in Metric]
    if words.next in known:
        return Metric(words.read())
    near = difflib.get_close_matches(words.next.lower(), known, n=1)
    hint = f"`{near[0]}` perhaps, or another " if near else "one "
    raise words.wrong(f"{hint}of the metrics {', '.join(known)}")


def _comparison(words: _Words) -> Comparison:
    if words.next in set(Comparison):
        return Comparison(words.read())
    raise words.wrong("one of <, <=, > and >=")


def _with_number(words: _Words, metric: Metric, comparison: Comparison) -> Condition:
    if not (words.next.isascii() and words.next[:1].isdigit()):
        raise words.wrong(f"{_example(metric)} or `1.2 x active`")
    column, text = words.column, words.text.strip()
    number = float(words.read())
    if words.take("x"):
        if not words.take("active"):
            raise words.wrong("`active`, the revision that it is compared with")
        if not 0 < number <= MAXIMUM_FACTOR:
            raise words.wrong_at(column, f"a factor is more than 0 and at most {MAXIMUM_FACTOR:g}")
        return Condition(text, metric, comparison, number, of_active=True)
    threshold = number * _unit(words, metric)
    if threshold > _highest(metric):
        raise words.wrong_at(column, f"{_example(metric)} is at most {_highest(metric):.0f}")
    return Condition(text, metric, comparison, threshold)


def _unit(words: _Words, metric: Metric) -> float:
    """Read it, if there is one: what a number is multiplied with."""
    if not words.next:
        return 1.0
    units = _units(metric)
    for unit, size in units.items():
        if words.take(unit):
            return size
    raise words.wrong(f"{' or '.join(f'`{unit}`' for unit in units)}, `x active` or the end")


def _units(metric: Metric) -> dict[str, float]:
    if metric.share is not None:
        return {"ms": 1.0, "s": 1000.0}
    return {"/s": 1.0} if metric is Metric.REQUEST_RATE else {"%": 1.0}


def _highest(metric: Metric) -> float:
    if metric.share is not None:
        return MAXIMUM_LATENCY
    return MAXIMUM_REQUEST_RATE if metric is Metric.REQUEST_RATE else 100.0


def _example(metric: Metric) -> str:
    if metric.share is not None:
        return "a latency (250ms, 0.5s; a bare number is ms)"
    return "a number of requests a second" if metric is Metric.REQUEST_RATE else "a percentage"


def _refuse_what_cannot_be_meant(condition: Condition) -> None:
    text, metric, comparison = condition.text, condition.metric, condition.comparison
    if condition.of_active and metric is Metric.GATEWAY_ERROR_RATE:
        raise InvalidInput(
            f"Condition {text!r}: no revision answered these, so the active one has no such figure. "
            "Write a percentage."
        )
    if metric is not Metric.REQUEST_RATE and comparison.is_limit is (metric is Metric.SUCCESS_RATE):
        raise InvalidInput(
            f"Condition {text!r} holds for bad versions only, but it must say what a good one does: "
            f"write `{text.replace(comparison, _OPPOSITES[comparison], 1)}`."
        )
    top = 100.0 if "%" in _units(metric) else None
    always = {Comparison.AT_LEAST: 0.0, Comparison.AT_MOST: top}
    never = {Comparison.LESS: 0.0, Comparison.GREATER: top, Comparison.AT_MOST: 0.0 if metric.share else None}
    for how_often, extremes in (("always", always), ("never", never)):
        if not condition.of_active and condition.threshold == extremes.get(comparison):
            raise InvalidInput(f"Condition {text!r} {how_often} holds.")
