"""Time that neither goes back nor jumps."""

from __future__ import annotations

import time

from bluegreen.rollout.clock import SystemClock


def test_time_goes_on_from_what_is_on_record_when_the_wall_clock_was_set_back() -> None:
    recorded = time.time() + 3600
    clock = SystemClock(not_before=recorded)
    first = clock.now()
    assert recorded <= first < recorded + 60
    assert clock.now() >= first


def test_a_record_from_the_past_changes_nothing() -> None:
    assert abs(SystemClock(not_before=1.0).now() - time.time()) < 60
