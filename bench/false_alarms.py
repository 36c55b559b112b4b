"""`python -m bench.false_alarms [--rollouts N]`: how often the statistical comparison is wrong or late.

Simulated rollouts, looked at once a second, as Markdown. Requests fail or not by a seeded generator, so the
figures are the same each time.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import log, sqrt

from bluegreen.model.analysis import Comparing
from bluegreen.rollout.analysis.sequential_test import Counts, SequentialTest

PER_SECOND = 100
LOOKS = 600
WEIGHTS = (10, 50, 90)
ERRORS = (0.001, 0.01, 0.1)
OUTAGE_BEGINS, OUTAGE_ENDS = 300, 330
PEEKING = 2.326  # standard deviations: what one look at a false-alarm rate of 1 % would take
ENOUGH = 5  # failures before the repeated test of one look is asked at all, as its approximation needs

DETECTIONS = (
    (0.0, 0.01),
    (0.001, 0.005),
    (0.001, 0.05),
    (0.01, 0.015),
    (0.01, 0.02),
    (0.01, 0.05),
    (0.01, 0.5),
)
RATES = (10, 100, 1000)
DETECTION_WEIGHTS = (10, 50)
DETECTION_ROLLOUTS = 100
LONGEST = 1800  # looks, after which a rollout is done


@dataclass(frozen=True, slots=True)
class Load:
    """Requests a second, the candidate's share in percent, and the chance that a request of each fails.

    `bunch`: that many fail together. `outage`: the chance that one of either fails between OUTAGE_BEGINS and
    OUTAGE_ENDS, whatever it is else.
    """

    per_second: int
    weight: int
    candidate: float
    active: float
    bunch: int = 1
    outage: float | None = None

    def seconds(self, chance: random.Random, looks: int) -> Iterator[tuple[Counts, Counts]]:
        """What the candidate and the active revision answer in each."""
        of_candidate = self.per_second * self.weight // 100
        of_active = self.per_second - of_candidate
        for second in range(looks):
            out = self.outage if OUTAGE_BEGINS <= second < OUTAGE_ENDS else None
            yield (
                self._answers(chance, of_candidate, self.candidate if out is None else out),
                self._answers(chance, of_active, self.active if out is None else out),
            )

    def _answers(self, chance: random.Random, requests: int, rate: float) -> Counts:
        bunches = failures(chance, requests, rate / self.bunch)
        return Counts(requests, min(requests, self.bunch * bunches))


def failures(chance: random.Random, requests: int, rate: float) -> int:
    """How many of the requests fail: from one failure to the next is a geometric step."""
    if rate <= 0:
        return 0
    step, at, count = log(1 - rate), 0, 0
    while (at := at + 1 + int(log(1 - chance.random()) / step)) <= requests:
        count += 1
    return count


def sequential(seconds: Iterable[tuple[Counts, Counts]], comparing: Comparing) -> int | None:
    """The look at which the alarm is raised."""
    test = SequentialTest(comparing)
    for look, (candidate, active) in enumerate(seconds, start=1):
        test = test.add(candidate, active)
        if test.alarm:
            return look
    return None


def peeking(seconds: Iterable[tuple[Counts, Counts]]) -> int | None:
    """The same with a test that is meant for one look, the comparison of two proportions, asked each time."""
    candidate, active = Counts(), Counts()
    for look, (more, others) in enumerate(seconds, start=1):
        candidate, active = candidate + more, active + others
        both = candidate + active
        pooled = both.failures / both.answers
        spread = sqrt(pooled * (1 - pooled) * (1 / candidate.answers + 1 / active.answers))
        if both.failures >= ENOUGH and candidate.percent - active.percent > 100 * PEEKING * spread:
            return look
    return None


def false_alarms(rollouts: int) -> None:
    print(f"{rollouts} rollouts of two equal versions, {LOOKS} looks each, {PER_SECOND} requests/s.\n")
    print("| weight | errors of both | alarms at 0.01 | at 0.05 | a test for one look, at 0.01 |")
    print("|---|---|---|---|---|")
    equal = [Load(PER_SECOND, weight, rate, rate) for weight in WEIGHTS for rate in ERRORS]
    outages = [Load(PER_SECOND, weight, 0.001, 0.001, outage=0.5) for weight in WEIGHTS]
    bunches = [Load(PER_SECOND, weight, 0.01, 0.01, bunch=5) for weight in WEIGHTS]
    for load in (*equal, *outages, *bunches):
        row = " | ".join(f"{100 * alarms / rollouts:.2f} %" for alarms in _alarms(load, rollouts))
        print(f"| {load.weight} % | {_errors(load)} | {row} |", flush=True)


def _alarms(load: Load, rollouts: int) -> tuple[int, int, int]:
    """Of the comparison at 0.01, at 0.05, and of the test for one look."""
    chance = random.Random(f"{load}")  # noqa: S311 - a simulation, the same each time
    strict = loose = single = 0
    for _ in range(rollouts):
        seconds = list(load.seconds(chance, LOOKS))
        strict += sequential(seconds, Comparing(0.01)) is not None
        loose += sequential(seconds, Comparing(0.05)) is not None
        single += peeking(seconds) is not None
    return strict, loose, single


def _errors(load: Load) -> str:
    if load.outage is not None:
        return f"{100 * load.active:g} %, and {100 * load.outage:g} % for {OUTAGE_ENDS - OUTAGE_BEGINS} s"
    return f"{100 * load.active:g} %" + (f", in bunches of {load.bunch}" if load.bunch > 1 else "")


def detection() -> None:
    print(f"\nSeconds until the alarm at 0.01: median (90th percentile) of {DETECTION_ROLLOUTS} rollouts.")
    print(f"A dash: not within {LONGEST // 60} minutes.\n")
    heads = [f"{rate} requests/s, {weight} %" for rate in RATES for weight in DETECTION_WEIGHTS]
    print(f"| errors, active to candidate | {' | '.join(heads)} |")
    print("|---|" + "---|" * len(heads))
    for active, candidate in DETECTIONS:
        cells = [
            _detection(Load(rate, weight, candidate, active))
            for rate in RATES
            for weight in DETECTION_WEIGHTS
        ]
        print(f"| {100 * active:g} % to {100 * candidate:g} % | {' | '.join(cells)} |", flush=True)


def _detection(load: Load) -> str:
    chance = random.Random(f"{load}")  # noqa: S311 - a simulation, the same each time
    looks = sorted(
        sequential(load.seconds(chance, LONGEST), Comparing()) or LONGEST + 1
        for _ in range(DETECTION_ROLLOUTS)
    )
    median, late = (looks[int(share * (len(looks) - 1))] for share in (0.5, 0.9))
    return f"{_seconds(median)} ({_seconds(late)})"


def _seconds(look: int) -> str:
    return "-" if look > LONGEST else str(look)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.false_alarms", description=__doc__)
    parser.add_argument("--rollouts", type=int, default=2_000)
    false_alarms(parser.parse_args().rollouts)
    detection()
