"""The end of a service: every version goes, and nothing by mistake."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from bluegreen.model.catalogue import Catalogue
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.errors import Overtaken, Refused
from bluegreen.model.gateway import Gateway
from bluegreen.model.traffic_report import RequestFigures, TrafficReport
from bluegreen.rollout import commands
from bluegreen.rollout.catalogue_change import plan
from bluegreen.rollout.retire_command import retire
from bluegreen.rollout.standing import standing
from bluegreen.rollout.wanted_traffic import wanted_traffic
from tests.rollout.facts import MANUAL_STEPS, Story

CONFIRMED = partial(retire, confirmed=True)


def released() -> Story:
    """v2 is active, v1 the way back."""
    story = Story()
    story.release("v1")
    story.release("v2")
    return story


def test_fingers_are_told_what_they_would_hit() -> None:
    story = released()
    story.report = TrafficReport(figures={2: RequestFigures(active=3, per_second=12.34)})
    words = r"v2 on green has the production traffic of shop: 12\.3 requests/s, 3 under way.*404.*--yes"
    with pytest.raises(Refused, match=words):
        story.command(partial(retire, confirmed=False))
    assert (story.status(1), story.status(2)) == ("draining", "active")


def test_everything_ends_and_the_routes_go_first() -> None:
    story = released()
    said = story.command(CONFIRMED)
    assert said == "shop is taken out of its gateways: v1 on blue (draining), v2 on green (active)."
    assert (story.status(1), story.status(2)) == ("retired", "retired")
    wanted = wanted_traffic(story.aggregate)
    assert [(each.revision, each.routed, each.weight) for each in wanted.backends] == [
        (1, False, 0),
        (2, False, 0),
    ]
    assert story.aggregate.traffic.active_environment is None
    busy = story.decide(story.all_agree(active=1))
    assert "v1 (revision 1) empties" in busy.sentence, "what is under way is finished"
    story.now += 61
    story.decide(story.all_agree())
    assert all(each.released_at for each in story.aggregate.deployments)


def test_what_never_had_traffic_needs_no_word_more() -> None:
    story = Story()
    story.deploy("v1")
    story.command(partial(retire, confirmed=False))
    assert story.status(1) == "failed"
    story.deploy("v2")
    story.decide(story.all_agree())
    story.command(partial(retire, confirmed=False))
    assert story.status(2) == "retired"
    assert "nothing to retire" in story.command(CONFIRMED)


def test_a_rollout_comes_to_its_end_first() -> None:
    story = Story(MANUAL_STEPS)
    story.release("v1")
    story.deploy("v2")
    story.decide(story.all_agree())
    story.promote()
    with pytest.raises(Refused, match="A promotion of v2 is open"):
        story.command(CONFIRMED)


def test_another_version_than_the_one_that_was_seen_is_not_hit() -> None:
    story = released()
    late = partial(retire, confirmed=True, expected=standing(story.aggregate))
    story.command(commands.rollback)
    story.decide(story.all_agree())
    with pytest.raises(Overtaken, match="Now v1 on blue is active"):
        story.command(late)


def test_a_retired_service_can_be_deployed_anew() -> None:
    story = released()
    story.command(CONFIRMED)
    with pytest.raises(Refused, match="has no way back"):
        story.command(commands.rollback)
    story.release("v3")
    assert story.status(3) == "active"


def test_it_is_removed_once_every_proxy_has_let_go_of_it() -> None:
    story = released()
    edge = Gateway("edge", Endpoint("127.0.0.1", 10000), Endpoint("127.0.0.1", 10001))

    def prune() -> tuple[str, ...]:
        served = {"shop": story.aggregate}
        return plan({"edge": edge}, served, Catalogue({"edge": edge}, {}), prune=True).change.removed_services

    with pytest.raises(Refused, match="bluegreen retire shop, then apply --prune"):
        prune()
    story.command(CONFIRMED)
    words = r"cannot be removed yet: not every proxy has let go of v1 \(revision 1\), v2 \(revision 2\)"
    with pytest.raises(Refused, match=words):
        prune()
    story.now += 61
    story.decide(story.all_agree())
    # The store drops what is released from the aggregate.
    story.aggregate = replace(story.aggregate, deployments=())
    assert prune() == ("shop",)
