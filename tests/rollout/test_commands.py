"""What is refused, in which state, and what the refusal says."""

from __future__ import annotations

import pytest

from bluegreen.model.endpoint import Endpoint
from bluegreen.model.errors import Refused
from bluegreen.rollout import commands
from bluegreen.rollout.deploy_command import deploy
from bluegreen.rollout.draft import Decide
from bluegreen.rollout.operations import DeployCommand
from bluegreen.rollout.retry_command import retry
from tests.rollout.facts import BLUE_ENDPOINTS, MANUAL_STEPS, Story


def test_deploy_goes_to_the_idle_environment() -> None:
    story = Story()
    assert "v1 goes to blue as revision 1, 2 instances" in story.deploy("v1")
    story.decide(story.all_agree())
    story.promote()
    story.decide(story.all_agree())
    assert "v2 goes to green as revision 2" in story.deploy("v2")


def test_deploy_supersedes_what_was_ready_but_never_promoted() -> None:
    story = Story()
    story.release("v1")
    story.deploy("v2")
    story.decide(story.all_agree())
    story.deploy("v3")
    assert story.status(2) == "retired"
    assert story.status(3) == "deploying"


def test_deploy_is_refused_while_the_environment_is_occupied() -> None:
    story = Story()
    story.deploy("v1")
    with pytest.raises(Refused, match="still deploying"):
        story.deploy("v2")
    story.decide(story.all_agree())
    story.promote()
    story.decide(story.all_agree())
    story.release("v2")
    with pytest.raises(Refused, match="still draining"):
        story.deploy("v3")
    story.now += 61
    story.decide(story.all_agree())
    with pytest.raises(Refused, match="--replace-standby"):
        story.deploy("v3")
    story.deploy("v3", replace_standby=True)
    assert (story.status(1), story.status(3)) == ("retired", "deploying")


def test_deploy_is_refused_while_a_rollout_is_open() -> None:
    story = Story(MANUAL_STEPS)
    story.release("v1")
    story.deploy("v2")
    story.decide(story.all_agree())
    story.promote()
    with pytest.raises(Refused, match="promotion of v2 is open"):
        story.deploy("v3")


def test_deploy_checks_its_endpoints() -> None:
    story = Story()
    story.release("v1")
    twice = DeployCommand("shop", "v2", (Endpoint("127.0.0.1", 1), Endpoint("127.0.0.1", 1)))
    with pytest.raises(Refused, match="given twice"):
        story.command(lambda draft: deploy(draft, twice))
    theirs = DeployCommand("shop", "v2", BLUE_ENDPOINTS)
    with pytest.raises(Refused, match="already serves v1 on blue"):
        story.command(lambda draft: deploy(draft, theirs))


def test_promote_without_anything_ready_says_what_is_missing() -> None:
    story = Story()
    with pytest.raises(Refused, match=r"nothing to promote.*Deploy a version first.*Possible: deploy"):
        story.promote()
    story.deploy("v1")
    with pytest.raises(Refused, match="still being deployed"):
        story.promote()


@pytest.mark.parametrize("verb", [commands.pause, commands.resume, commands.abort, commands.rollback])
def test_verbs_without_a_rollout_are_refused(verb: Decide) -> None:
    with pytest.raises(Refused):
        Story().command(verb)


def test_a_rollback_can_be_neither_paused_nor_aborted_nor_promoted() -> None:
    story = Story()
    story.release("v1")
    story.release("v2")
    story.command(commands.rollback)
    for verb in (commands.pause, commands.resume, commands.abort):
        with pytest.raises(Refused):
            story.command(verb)
    with pytest.raises(Refused, match="rollback to v1 is open"):
        story.promote()


def test_pause_and_resume() -> None:
    story = Story(MANUAL_STEPS)
    story.release("v1")
    story.deploy("v2")
    story.decide(story.all_agree())
    story.promote()
    story.command(commands.pause)
    assert "paused" in story.decide(story.all_agree()).sentence
    for full in (False, True):
        with pytest.raises(Refused, match=r"paused.*Possible: resume, abort, rollback, status"):
            story.promote(full=full)
    story.command(commands.resume)
    story.decide(story.all_agree())
    assert story.aggregate.rollout is not None
    assert story.aggregate.rollout.percent == 10


def test_the_way_back_can_be_given_up_while_it_still_drains() -> None:
    story = Story()
    story.release("v1")
    story.release("v2")
    with pytest.raises(Refused, match=r"still draining: the way back.*--replace-standby"):
        story.deploy("v3")
    story.deploy("v3", replace_standby=True)
    assert (story.status(1), story.status(3)) == ("retired", "deploying")
    busy = story.all_agree(active=2)
    story.decide(busy)
    assert story.aggregate.deployment(1).withdrawn_at is None, "what it has begun, it finishes"
    with pytest.raises(Refused, match="no way back"):
        story.command(commands.rollback)


def test_retry_deploys_again_what_failed() -> None:
    story = Story()
    story.deploy("v1")
    story.command(commands.abort)
    newest = story.aggregate.deployment(1)
    assert "v1 goes to blue as revision 2" in story.command(lambda draft: retry(draft, newest=newest))


def test_retry_promotes_again_what_was_taken_back() -> None:
    story = Story(MANUAL_STEPS)
    story.release("v1")
    story.deploy("v2")
    story.decide(story.all_agree())
    story.promote()
    story.decide(story.all_agree())
    story.command(commands.abort)
    story.decide(story.all_agree())
    newest = story.aggregate.deployment(2)
    assert "Rollout 3 of v2" in story.command(lambda draft: retry(draft, newest=newest))


def test_retry_without_anything_that_failed_is_refused() -> None:
    story = Story()
    story.release("v1")
    with pytest.raises(Refused, match="Nothing of shop failed"):
        story.command(lambda draft: retry(draft, newest=story.aggregate.deployment(1)))
