"""Two Envoys under one id are told apart by their reports."""

from __future__ import annotations

from bluegreen.switches.envoy.metrics.namesakes import TOLD_FOR, Namesakes


def namesakes(*streams: int) -> Namesakes:
    """A report a second, on these streams."""
    made = Namesakes()
    for at, stream in enumerate(streams):
        made.note("edge-1", stream, float(at))
    return made


def test_one_that_comes_back_has_none() -> None:
    assert not namesakes(1, 1, 4, 4, 7).has("edge-1", 5.0)
    assert not namesakes().has("edge-1", 0.0)


def test_two_that_report_in_turn_are_two() -> None:
    assert namesakes(1, 4, 1, 4).has("edge-1", 4.0)
    assert not namesakes(1, 4, 1, 4).has("edge-2", 4.0)


def test_it_is_told_until_one_of_them_is_gone_for_a_while() -> None:
    made = namesakes(1, 4, 1)
    assert made.has("edge-1", 2.0 + TOLD_FOR - 0.1)
    made.note("edge-1", 1, 10.0)  # the one that is left goes on
    assert not made.has("edge-1", 2.0 + TOLD_FOR)
    made = namesakes(1, 4, 1)
    made.forget("edge-1")
    assert not made.has("edge-1", 3.0)
