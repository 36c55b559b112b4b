"""No deadline for the proxies ends before they could be back after a start, and had a moment to say so; nor
while nobody ran to hear them."""

from __future__ import annotations

from bluegreen.model.traffic_report import ProxyReport, TrafficReport
from bluegreen.rollout.reconnect_grace import RECONNECT_GRACE, SETTLING, ReconnectGrace

START = 1000.0


def fleet(*connected: bool) -> TrafficReport:
    return TrafficReport(
        tuple(ProxyReport(f"edge-{number}", "edge", connected=each) for number, each in enumerate(connected))
    )


def test_it_lasts_as_long_as_one_is_missing_but_not_for_ever() -> None:
    grace = ReconnectGrace(START)
    for seconds in (0.0, 3.0, 100.0):
        assert grace.no_deadline_before(fleet(True, False), START + seconds) == START + RECONNECT_GRACE


def test_one_that_is_back_has_a_moment_to_acknowledge_and_report() -> None:
    grace = ReconnectGrace(START)
    assert grace.no_deadline_before(fleet(True, True), START + 2) == START + 2 + SETTLING
    assert grace.no_deadline_before(fleet(True, True), START + 60) == START + 2 + SETTLING


def test_a_connection_that_is_lost_later_gives_no_new_grace() -> None:
    grace = ReconnectGrace(START)
    grace.no_deadline_before(fleet(True, True), START + 1)
    assert grace.no_deadline_before(fleet(True, False), START + 2) == START + 1 + SETTLING


def test_one_that_is_back_late_prolongs_nothing() -> None:
    grace = ReconnectGrace(START)
    assert grace.no_deadline_before(fleet(True), START + 14) == START + RECONNECT_GRACE


def test_a_look_that_comes_much_too_late_begins_the_grace_anew() -> None:
    grace = ReconnectGrace(START)
    grace.no_deadline_before(fleet(True), START + 1)
    grace.next_look(START + 100)
    # Stopped from then on (SIGSTOP, a machine that is moved): what the proxies have said is not heard yet.
    assert grace.no_deadline_before(fleet(True), START + 160) == START + 160 + SETTLING
    grace.next_look(START + 160 + SETTLING)
    assert grace.no_deadline_before(fleet(True), START + 161 + SETTLING) == START + 160 + SETTLING


def test_a_look_that_comes_in_time_or_was_not_due_begins_nothing_anew() -> None:
    grace = ReconnectGrace(START)
    grace.no_deadline_before(fleet(True), START + 1)
    for due, at in ((START + 100, START + 101), (START + 200, START + 150), (None, START + 900)):
        grace.next_look(due)
        assert grace.no_deadline_before(fleet(True), at) == START + 1 + SETTLING
