"""Which version gets what goes past the weights: the one on its way to the production entry, and no other."""

from __future__ import annotations

from bluegreen.rollout import commands
from bluegreen.rollout.wanted_traffic import wanted_traffic
from tests.rollout.facts import MANUAL_STEPS, Story


def candidate(story: Story) -> int | None:
    return wanted_traffic(story.aggregate).candidate


def test_the_candidate_is_the_version_on_its_way_and_none_that_is_on_its_way_out() -> None:
    story = Story(MANUAL_STEPS)
    story.deploy("v1")
    assert candidate(story) is None, "no proxy has proved it yet"
    story.decide(story.all_agree())
    assert (story.status(1), candidate(story)) == ("ready", 1)
    story.promote()
    story.decide(story.all_agree())
    assert (story.status(1), candidate(story)) == ("active", None)

    story.deploy("v2")
    story.decide(story.all_agree())
    for _ in range(2):
        story.promote()
        story.decide(story.all_agree())
        assert (story.status(2), candidate(story)) == ("shifting", 2)
    story.promote()
    story.decide(story.all_agree())
    assert (story.status(1), story.status(2), candidate(story)) == ("draining", "active", None)
    story.now += 100
    story.decide(story.all_agree())
    assert (story.status(1), candidate(story)) == ("standby", None)
    assert wanted_traffic(story.aggregate).preview == 1

    story.command(commands.rollback)
    assert candidate(story) is None
    story.decide(story.all_agree())
    assert (story.status(1), candidate(story)) == ("active", None)


def test_an_aborted_candidate_is_one_again_and_a_superseded_one_is_not() -> None:
    story = Story(MANUAL_STEPS)
    story.release("v1")
    story.deploy("v2")
    story.decide(story.all_agree())
    story.promote()
    story.decide(story.all_agree())
    story.command(commands.abort)
    story.decide(story.all_agree())
    assert (story.status(2), candidate(story)) == ("ready", 2)
    story.deploy("v3")
    assert candidate(story) is None
    story.decide(story.all_agree())
    assert candidate(story) == 3
