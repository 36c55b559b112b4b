from __future__ import annotations

from bluegreen.model.errors import InvalidInput, Refused, UnknownName


def test_an_unknown_name_says_which_there_are() -> None:
    assert str(UnknownName("service", "cart", ["shop", "search"])) == (
        "There is no service 'cart'. Known: search, shop."
    )
    assert str(UnknownName("proxy", "edge-1", [])) == "There is no proxy 'edge-1'. Known: none yet."
    assert issubclass(UnknownName, InvalidInput)


def test_a_refusal_says_what_is_possible() -> None:
    assert str(Refused("It is active.", "Promote another one.")) == "It is active. Promote another one."
    assert str(Refused("It is active.")) == "It is active."
