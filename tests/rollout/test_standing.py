"""Two who saw the same: one moves the traffic, the other is told of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from bluegreen.model.errors import Overtaken
from bluegreen.model.event import CONTROLLER, Event, Origin, What
from bluegreen.model.strategy import Strategy
from bluegreen.rollout import commands
from bluegreen.rollout.draft import Decide
from bluegreen.rollout.standing import standing, who_moved
from tests.rollout.facts import ATOMIC, MANUAL_STEPS, TIMED_STEPS, Story


def ready(strategy: Strategy) -> Story:
    """v1 is active, v2 is ready."""
    story = Story(strategy)
    story.release("v1")
    story.deploy("v2")
    story.decide(story.all_agree())
    return story


def holding() -> Story:
    """v2 holds at 10 %."""
    story = ready(MANUAL_STEPS)
    story.promote()
    story.decide(story.all_agree())
    return story


def promoting(story: Story, *, full: bool = False) -> Decide:
    """To promote what is seen now."""
    return partial(commands.promote, full=full, expected=standing(story.aggregate))


def test_of_two_who_start_a_rollout_one_is_told_that_it_is_open() -> None:
    story = ready(ATOMIC)
    anna, ben = promoting(story), promoting(story)
    story.command(anna)
    with pytest.raises(Overtaken, match=r"^Not as you saw it\. Now rollout 2 of v2 is at 0 %\. Possible: "):
        story.command(ben)


@pytest.mark.parametrize("full", [False, True])
def test_of_two_who_take_a_step_one_is_told_that_it_is_on_its_way(full: bool) -> None:
    story = holding()
    anna, ben = promoting(story), promoting(story, full=full)
    story.command(anna)
    with pytest.raises(Overtaken, match=r"rollout 2 of v2 is at 10 %, on its way to 50 %"):
        story.command(ben)
    story.decide(story.all_agree())
    with pytest.raises(Overtaken, match=r"rollout 2 of v2 is at 50 %\."):
        story.command(ben)


def test_a_step_that_came_by_itself_is_told_as_well() -> None:
    story = ready(TIMED_STEPS)
    story.promote()
    story.decide(story.all_agree())
    ben = promoting(story)
    story.now += 6
    story.decide(story.all_agree())
    with pytest.raises(Overtaken, match="Now v2 on green is active, and no rollout is open"):
        story.command(ben)


def test_who_looks_again_may_go_on() -> None:
    story = holding()
    story.command(promoting(story))
    assert "goes on from 10 % to 50 % already" in story.command(promoting(story)), "and nothing happens"
    story.decide(story.all_agree())
    assert "goes on from 50 % to 100 %" in story.command(promoting(story))


def test_who_did_not_look_is_answered_by_what_there_is() -> None:
    story = holding()
    assert "from 10 % to 50 %" in story.promote()
    assert "already" in story.promote()
    story.decide(story.all_agree())
    assert "from 50 % to 100 %" in story.promote()


def test_an_acknowledgement_in_between_overtakes_nobody() -> None:
    story = ready(MANUAL_STEPS)
    story.promote()
    story.one(story.all_agree())
    ben = promoting(story)
    story.decide(story.all_agree())
    assert "from 10 % to 50 %" in story.command(ben)


@pytest.mark.parametrize("verb", [commands.pause, commands.resume, commands.abort])
def test_a_command_to_a_rollout_is_not_for_the_next_one(verb: Callable[..., str]) -> None:
    story = holding()
    late = partial(verb, expected=standing(story.aggregate))
    story.command(commands.abort)
    story.decide(story.all_agree())
    story.promote()
    with pytest.raises(Overtaken, match="Now rollout 3 of v2 is at 0 %"):
        story.command(late)


def test_an_abort_of_what_was_given_up_does_not_hit_what_came_after() -> None:
    story = ready(ATOMIC)
    late = partial(commands.abort, expected=standing(story.aggregate))
    story.deploy("v3")
    with pytest.raises(Overtaken):
        story.command(late)
    assert story.status(3) == "deploying"


def test_a_rollback_goes_on_when_the_rollout_has_moved_or_ended_meanwhile() -> None:
    story = holding()
    at_ten = partial(commands.rollback, expected=standing(story.aggregate))
    story.promote(full=True)
    story.decide(story.all_agree())
    assert "v1 on blue takes all traffic back from v2" in story.command(at_ten)
    assert "is rolling back already" in story.command(at_ten)
    story.decide(story.all_agree())
    assert "is back on v1 already" in story.command(at_ten)


def test_a_rollback_does_not_hit_another_version_than_the_one_that_was_seen() -> None:
    story = Story(ATOMIC)
    story.release("v1")
    story.release("v2")
    late = partial(commands.rollback, expected=standing(story.aggregate))
    story.now += 61
    story.decide(story.all_agree())
    story.deploy("v3", replace_standby=True)
    story.decide(story.all_agree())
    story.promote()
    with pytest.raises(Overtaken, match="Now rollout 3 of v3 is at 0 %"):
        story.command(late)


def event(at: float, who: str, what: What, message: str, reason: str = "") -> Event:
    return Event(at=at, service="shop", what=what, origin=Origin(who, reason), message=message)


def test_who_moved_it_is_the_last_who_asked_and_what_came_of_it() -> None:
    events = [
        event(1, "ben", What.SHIFT_STARTED, "Rollout 2 begins."),
        event(9.9, "anna", What.CONTINUED, "On to 50 %.", "looks good"),
        event(10, CONTROLLER.actor, What.WEIGHT_SET, "v2 gets 50 %."),
        event(10.1, CONTROLLER.actor, What.RELEASED, "v0 is released."),
    ]
    assert who_moved(events, 12) == "anna (looks good), 2s ago: On to 50 %. controller, 2s ago: v2 gets 50 %."
    assert who_moved(events[:2], 9.9) == "anna (looks good), 0s ago: On to 50 %."
    assert who_moved([], 9) == ""
