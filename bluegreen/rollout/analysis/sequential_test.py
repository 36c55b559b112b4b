"""Whether the candidate fails more often than the active revision, asked again and again.

The test is a mixture of likelihood ratios, valid at any time. Robbins (Statistical Methods Related to the
Law of the Iterated Logarithm, 1970) gave the mixture; Johari, Pekelis and Walsh (Always Valid Inference:
Continuous Monitoring of A/B Tests, 2022) and Howard, Ramdas, McAuliffe and Sekhon (Time-uniform,
Nonparametric, Nonasymptotic Confidence Sequences, 2021) made it a way to watch experiments; Lindon and
Malek (Anytime-Valid Inference for Multinomial Count Data, NeurIPS 2022) apply it to the errors of a canary,
as is done here.

In each stretch of time, given that x answers of both revisions failed, the candidate's part of these is
looked at. If its odds of failing are w times the active's, errors are rare, and it gave n of m answers,
that part is binomial with the share w*n / (w*n + m - n). So what hits both alike, an outage that comes and
goes, cancels out. To be refuted is w <= at_least; the alternatives are the RATIOS times as much, with equal
weights. Were it true, the mean ratio of the likelihoods would be a nonnegative supermartingale that begins
at 1, and by Ville's inequality (Etude critique de la notion de collectif, 1939) the chance that it ever
reaches 1 / false_alarms is at most false_alarms: however often one looks, and whenever one stops.

Nor need errors be rare. That part then has Fisher's noncentral hypergeometric distribution, which

- is that of a sum of independent trials (its generating function has only real roots: Vatutin and
  Mikhailov 1982 for w = 1; another w scales the roots), so that the mean of a convex function of it is at
  most that of the binomial one with the same mean (Hoeffding, On the Distribution of the Number of Successes
  in Independent Trials, 1956; for w = 1 also Probability Inequalities for Sums of Bounded Random Variables,
  1963, theorem 4);
- has at most the mean of the binomial one above, since for the part k
  (m - n + w*n) * E[k] = w*n*x - (w - 1) * E[k * (x - k)], where w >= 1; and less where w is less.

The likelihood ratio is convex and rises with the part, so its mean stays at most 1, and the promise holds.

What it rests on: that a request fails or not independently of the others of its stretch, and that the
division of the traffic does not change within one. Failures that come in clusters (a client that tries the
same again and again) make it too sure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, fsum, log

from bluegreen.model.analysis import Comparing

RATIOS = (1.2, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0, 1000.0)
"""Alternatives: the closer one of them is to the truth, the sooner it is found. To have nine costs at most a
factor of nine in evidence against the best one alone."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Of one revision, within one stretch of time."""

    answers: int = 0
    failures: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.answers + other.answers, self.failures + other.failures)

    @property
    def percent(self) -> float:
        return 100.0 * self.failures / self.answers if self.answers else 0.0


@dataclass(frozen=True, slots=True)
class SequentialTest:
    """`add` what was counted since the last time; nothing may be counted twice. Once it has raised the alarm
    it does not take it back.

    `evidence` is 1 at first, and 1 / false_alarms is needed for the alarm.
    """

    comparing: Comparing
    candidate: Counts = Counts()
    active: Counts = Counts()
    alarm: bool = False
    log_ratios: tuple[float, ...] = (0.0,) * len(RATIOS)

    def add(self, candidate: Counts, active: Counts) -> SequentialTest:
        """With the counts of both over the same stretch of time."""
        following = replace(self, candidate=self.candidate + candidate, active=self.active + active)
        if not (candidate.answers and active.answers and candidate.failures + active.failures):
            return following  # one alone says nothing of the two, and no failure nothing of failures
        ratios = tuple(
            before + self._log_ratio(ratio, candidate, active)
            for before, ratio in zip(self.log_ratios, RATIOS, strict=True)
        )
        following = replace(following, log_ratios=ratios)
        return replace(following, alarm=self.alarm or following.evidence >= self.needed)

    @property
    def evidence(self) -> float:
        """By how much the alternatives explain the counts better: the mean ratio of the likelihoods."""
        highest = max(0.0, *self.log_ratios)
        if highest > _LARGEST:
            return float("inf")
        return fsum(map(exp, self.log_ratios)) / len(RATIOS)

    @property
    def needed(self) -> float:
        """The evidence at which the alarm is raised."""
        return 1.0 / self.comparing.false_alarms

    def _log_ratio(self, ratio: float, candidate: Counts, active: Counts) -> float:
        null = _share(self.comparing.at_least, candidate, active)
        alternative = _share(self.comparing.at_least * ratio, candidate, active)
        of_candidate = candidate.failures * log(alternative / null)
        return of_candidate + active.failures * log((1.0 - alternative) / (1.0 - null))


_LARGEST = 700.0
"""The logarithm of about the largest float."""


def _share(odds: float, candidate: Counts, active: Counts) -> float:
    """The candidate's share of the failures, where its odds of failing are so many times the active's."""
    return odds * candidate.answers / (odds * candidate.answers + active.answers)
