"""Who is told of what changed."""

from __future__ import annotations

import asyncio

import pytest

from bluegreen.rollout.signals import ChangeSignals


async def test_a_reader_hears_of_each_name_once_however_often_it_changed() -> None:
    signals = ChangeSignals()
    changes = signals.read()
    for _ in range(3):
        signals.notify_all(("cart", "shop"))
    assert {await anext(changes), await anext(changes)} == {"cart", "shop"}
    signals.notify("cart")
    assert await anext(changes) == "cart"


async def test_a_reader_of_one_name_is_not_woken_for_others() -> None:
    signals = ChangeSignals()
    changes = signals.read("shop")
    following = asyncio.ensure_future(anext(changes))
    signals.notify_all({"cart", "stock"})
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(following), 0.01)
    signals.notify_all({"cart", "shop"})
    assert await following == "shop"
