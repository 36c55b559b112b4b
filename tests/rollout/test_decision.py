"""Facts in, decisions out: what the controller goes on, and what it never goes on without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from bluegreen.model.environment import Environment
from bluegreen.model.errors import Refused
from bluegreen.model.rollout import Outcome
from bluegreen.model.strategy import OnSilent
from bluegreen.model.traffic_report import ProxyReport
from bluegreen.rollout import commands
from bluegreen.rollout.decision import decide
from bluegreen.rollout.look import Wait
from bluegreen.rollout.wanted_traffic import wanted_traffic
from tests.rollout.facts import MANUAL_STEPS, TIMED_STEPS, Story, backend, proxy, report


def weights(story: Story) -> dict[str, int]:
    routed = [each for each in wanted_traffic(story.aggregate).backends if each.routed]
    return {each.environment.value: each.weight for each in routed}


def test_a_deployment_becomes_ready_only_when_every_proxy_has_proved_it() -> None:
    story = Story()
    story.deploy("v1")
    one_lags = report(
        proxy("edge-1", 1000.0, 1), replace(proxy("edge-2", 1000.0), routes_acknowledged_at=None)
    )
    assert "edge-2" in story.decide(one_lags).sentence
    assert story.status(1) == "deploying"
    story.decide(story.all_agree())
    assert story.status(1) == "ready"


def test_a_barrier_over_nobody_does_not_pass() -> None:
    story = Story()
    story.deploy("v1")
    wait = story.decide(report())
    assert story.status(1) == "deploying"
    assert "no proxy" in wait.sentence


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"acknowledged": False}, "has not acknowledged its clusters"),
        ({"healthy": 1}, "1 of 2 instances healthy"),
        ({"healthy": None}, "has reported no statistics"),
        ({"warming": True}, "still warming"),
    ],
)
def test_an_acknowledgement_alone_does_not_make_it_ready(change: dict[str, object], said: str) -> None:
    story = Story()
    story.deploy("v1")
    half = replace(proxy("edge-1", 1000.0), backends={1: replace(backend(1, 1000.0), **change)})
    wait = story.decide(report(half))
    assert said in wait.sentence
    assert story.status(1) == "deploying"


def test_a_proxy_that_is_not_connected_proves_nothing_however_well_it_looked() -> None:
    story = Story()
    story.deploy("v1")
    gone = replace(proxy("edge-2", 1000.0, 1), connected=False)
    assert "edge-2 is not connected" in story.decide(report(proxy("edge-1", 1000.0, 1), gone)).sentence
    assert story.status(1) == "deploying"


def test_a_proxy_that_rejects_the_clusters_fails_the_deployment_with_its_words() -> None:
    story = Story()
    story.deploy("v1")
    rejected = replace(proxy("edge-1", 1000.0), rejected="CDS: no such transport socket")
    story.one(report(rejected))
    assert story.status(1) == "failed"
    assert story.aggregate.deployment(1).note == "edge-1 has rejected it: CDS: no such transport socket"


def test_routes_name_a_revision_only_after_its_clusters_are_proved() -> None:
    story = Story()
    story.deploy("v1")
    assert [each.routed for each in wanted_traffic(story.aggregate).backends] == [False]
    story.one(story.all_agree())
    assert [each.routed for each in wanted_traffic(story.aggregate).backends] == [True]
    assert story.status(1) == "deploying"


def test_a_deployment_that_stays_unreachable_fails_and_says_why() -> None:
    story = Story()
    story.deploy("v1")
    story.now += 121
    sick = replace(proxy("edge-1", story.now), backends={1: backend(1, story.now, healthy=0)})
    story.one(report(sick))
    assert story.status(1) == "failed"
    assert "edge-1 sees 0 of 2 instances healthy" in story.aggregate.deployment(1).note


def test_a_failed_deployment_is_withdrawn_and_released_in_that_order() -> None:
    story = Story()
    story.deploy("v1")
    story.command(commands.abort)
    assert story.status(1) == "failed"
    story.one(story.all_agree())
    assert story.aggregate.deployment(1).withdrawn_at is not None
    assert wanted_traffic(story.aggregate).backends == ()
    held = replace(proxy("edge-1", story.now), clusters_acknowledged_at=None)
    assert "being withdrawn" in story.decide(report(held)).sentence
    story.one(story.all_agree())
    assert story.aggregate.deployment(1).released_at == story.now


def test_the_first_promotion_needs_no_steps() -> None:
    story = Story(MANUAL_STEPS)
    story.release("v1")
    assert story.status(1) == "active"
    assert weights(story) == {"blue": 100}


def test_an_atomic_switch_waits_for_the_acknowledgement_of_every_proxy() -> None:
    story = Story()
    story.release("v1")
    story.deploy("v2")
    story.decide(story.all_agree())
    assert weights(story) == {"blue": 100, "green": 0}
    story.promote()
    assert weights(story) == {"blue": 100, "green": 0}, "the candidate is proved once more first"
    story.one(story.all_agree())
    assert weights(story) == {"blue": 0, "green": 100}
    silent = replace(proxy("edge-2", story.now, 1, 2), routes_acknowledged_at=None)
    wait = story.decide(report(proxy("edge-1", story.now, 1, 2), silent))
    assert "edge-2 has not acknowledged the routes" in wait.sentence
    assert (story.status(1), story.status(2)) == ("active", "shifting")
    story.one(story.all_agree())
    assert (story.status(1), story.status(2)) == ("draining", "active")
    assert story.aggregate.traffic.active_environment is Environment.GREEN
    assert weights(story) == {"blue": 0, "green": 100}, "completion moves no weight"


def test_a_silent_proxy_pauses_the_rollout_and_is_named() -> None:
    story = Story()
    story.release("v1")
    story.deploy("v2")
    story.decide(story.all_agree())
    story.promote()
    story.one(story.all_agree())
    gone = replace(proxy("edge-2", story.now, 1, 2), connected=False, routes_acknowledged_at=None)
    facts = report(proxy("edge-1", story.now, 1, 2), gone)
    story.now += 31
    assert "edge-2 is not connected" in story.one(facts)
    rollout = story.aggregate.open_rollout
    assert rollout is not None
    assert rollout.paused is not None
    assert weights(story) == {"blue": 0, "green": 100}, "a pause moves nothing"
    story.command(commands.resume)
    story.decide(story.all_agree())
    assert story.status(2) == "active"


def test_a_rejection_turns_the_weights_back() -> None:
    story = Story()
    story.release("v1")
    story.deploy("v2")
    story.decide(story.all_agree())
    story.promote()
    story.one(story.all_agree())
    rejected = replace(
        proxy("edge-2", story.now, 1, 2), routes_acknowledged_at=None, rejected="no such thing"
    )
    story.one(report(proxy("edge-1", story.now, 1, 2), rejected))
    assert weights(story) == {"blue": 100, "green": 0}
    story.decide(story.all_agree())
    assert (story.status(1), story.status(2)) == ("active", "ready")
    assert story.aggregate.rollout is not None
    assert story.aggregate.rollout.outcome is Outcome.ABORTED


def test_steps_hold_until_promoted() -> None:
    story = Story(MANUAL_STEPS)
    story.release("v1")
    story.deploy("v2")
    story.decide(story.all_agree())
    story.promote()
    seen = []
    for _ in range(3):
        wait = story.decide(story.all_agree())
        seen.append(weights(story)["green"])
        if story.aggregate.open_rollout:
            assert "until it is promoted" in wait.sentence
            story.promote()
    assert seen == [10, 50, 100]
    assert story.status(2) == "active"


def test_a_promotion_by_hand_waits_for_a_candidate_that_is_healthy() -> None:
    story = Story(MANUAL_STEPS)
    story.release("v1")
    story.deploy("v2")
    story.decide(story.all_agree())
    story.promote()
    story.decide(story.all_agree())
    story.now += 100
    assert "goes on from 10 % to 50 %" in story.promote()
    sick = proxy("edge-2", story.now, 1)
    sick = replace(sick, backends={**sick.backends, 2: backend(2, story.now, healthy=0)})
    facts = report(proxy("edge-1", story.now, 1, 2), sick)
    assert "edge-2 sees 0 of 2 instances healthy" in story.decide(facts).sentence
    assert weights(story)["green"] == 10
    story.now += 31
    sick = replace(sick, backends={**sick.backends, 2: backend(2, story.now, healthy=0)})
    story.one(report(proxy("edge-1", story.now, 1, 2), sick))
    assert story.aggregate.open_rollout is not None
    assert "0 of 2 instances healthy" in (story.aggregate.open_rollout.paused or "")
    story.command(commands.resume)
    story.decide(story.all_agree())
    assert weights(story)["green"] == 50


def test_a_way_back_that_is_dead_is_refused_unless_forced() -> None:
    story = Story()
    story.release("v1")
    story.release("v2")
    dead = proxy("edge-2", story.now, 2)
    dead = replace(dead, backends={**dead.backends, 1: backend(1, story.now, healthy=0)})
    story.report = report(proxy("edge-1", story.now, 1, 2), dead)
    with pytest.raises(Refused, match=r"v1 on blue is not alive: edge-2 sees no healthy instance.*--force"):
        story.command(commands.rollback)
    assert weights(story) == {"blue": 0, "green": 100}
    story.report = report(replace(dead, connected=False))
    story.command(commands.rollback)
    assert weights(story) == {"blue": 100, "green": 0}, (
        "what a proxy said before it left does not stand in the way"
    )


def test_a_dead_way_back_can_be_forced() -> None:
    story = Story()
    story.release("v1")
    story.release("v2")
    dead = proxy("edge-1", story.now, 2)
    story.report = report(replace(dead, backends={1: backend(1, story.now, healthy=0)}))
    story.command(lambda draft: commands.rollback(draft, force=True))
    assert weights(story) == {"blue": 100, "green": 0}


def test_a_step_is_not_skipped_before_it_is_acknowledged() -> None:
    story = Story(MANUAL_STEPS)
    story.release("v1")
    story.deploy("v2")
    story.decide(story.all_agree())
    story.promote()
    story.one(story.all_agree())
    with pytest.raises(Refused, match="waits until every proxy has acknowledged 10 %"):
        story.promote()
    story.promote(full=True)
    assert weights(story)["green"] == 10, "--full skips the waits, not the acknowledgement of this step"
    story.decide(story.all_agree())
    assert story.status(2) == "active"


def test_timed_steps_go_on_by_themselves() -> None:
    story = Story(TIMED_STEPS)
    story.release("v1")
    story.deploy("v2")
    story.decide(story.all_agree())
    story.promote()
    wait = story.decide(story.all_agree())
    assert wait.until == story.now + 5
    story.now += 5
    story.decide(story.all_agree())
    assert story.status(2) == "active"


def test_rollback_of_a_finished_rollout_is_one_step_and_idempotent() -> None:
    story = Story()
    story.release("v1")
    story.release("v2")
    assert (story.status(1), story.status(2)) == ("draining", "active")
    story.command(commands.rollback)
    assert weights(story) == {"blue": 100, "green": 0}
    rollout = story.aggregate.open_rollout
    assert "rolling back already" in story.command(commands.rollback)
    assert story.aggregate.open_rollout == rollout
    story.decide(story.all_agree())
    assert (story.status(1), story.status(2)) == ("active", "draining")
    assert "back on v1 already" in story.command(commands.rollback)
    assert story.aggregate.open_rollout is None, "asked twice it must not bring v2 back"
    story.command(lambda draft: commands.rollback(draft, force=True))
    story.decide(story.all_agree())
    assert (story.status(1), story.status(2)) == ("draining", "active"), "and forth again"


def test_what_was_rolled_back_from_can_be_promoted_again_in_steps() -> None:
    story = Story(MANUAL_STEPS)
    story.release("v1")
    story.release("v2")
    story.command(commands.rollback)
    story.decide(story.all_agree())
    assert story.status(2) == "draining"
    story.promote()
    story.decide(story.all_agree())
    assert story.status(2) == "shifting"
    assert weights(story) == {"blue": 90, "green": 10}
    story.promote(full=True)
    story.decide(story.all_agree())
    assert (story.status(1), story.status(2)) == ("draining", "active")


def test_the_way_back_does_not_drain_away_during_a_rollback() -> None:
    story = Story()
    story.release("v1")
    story.release("v2")
    story.command(commands.rollback)
    story.now += 3600
    unacknowledged = replace(proxy("edge-1", story.now, 1, 2), routes_acknowledged_at=None)
    story.decide(report(unacknowledged))
    assert story.status(1) == "draining"
    assert weights(story) == {"blue": 100, "green": 0}


def test_draining_ends_when_every_proxy_is_idle_on_consecutive_readings() -> None:
    story = Story()
    story.release("v1")
    story.release("v2")
    began = story.now
    story.now += 4
    busy = story.all_agree(active=3)
    early = report(proxy("edge-1", began, 1, 2))
    assert "drains" in story.decide(early).sentence, "readings from before the grace prove nothing"
    late_busy = report(
        *(
            replace(each, routes_acknowledged_at=began, clusters_acknowledged_at=began)
            for each in busy.proxies
        )
    )
    assert "3 requests under way" in story.decide(late_busy).sentence
    idle = report(
        *(replace(each, routes_acknowledged_at=began) for each in story.all_agree().proxies[:1]),
        replace(proxy("edge-2", began, 1, 2), connected=False),
    )
    assert "edge-2 is not connected" in story.decide(idle).sentence
    story.now += 1
    all_idle = story.all_agree()
    story.decide(report(*(replace(each, routes_acknowledged_at=began) for each in all_idle.proxies)))
    assert story.status(1) == "standby"
    assert "idle on all 2 proxies" in story.aggregate.deployment(1).note


def test_the_drains_deadline_ends_it_and_counts_what_is_pinned() -> None:
    story = Story()
    story.release("v1")
    story.release("v2")
    story.now += 61
    story.one(story.all_agree(active=4))
    assert story.status(1) == "standby"
    assert "8 requests still under way" in story.aggregate.deployment(1).note


@pytest.mark.parametrize(
    "gone",
    [
        pytest.param(lambda proxy: replace(proxy, connected=False, backends={}), id="never-reported"),
        pytest.param(lambda proxy: replace(proxy, connected=False), id="reported-before-it-was-gone"),
    ],
)
def test_what_is_not_known_of_a_proxy_is_not_counted(gone: Callable[[ProxyReport], ProxyReport]) -> None:
    story = Story()
    story.release("v1")
    story.release("v2")
    story.now += 61
    busy, other = story.all_agree(active=4).proxies
    story.one(report(busy, gone(other)))
    assert "4 requests still under way, not known of edge-2" in story.aggregate.deployment(1).note


def test_after_a_start_no_deadline_ends_before_the_proxies_can_be_back() -> None:
    story = Story()
    story.release("v1")
    story.release("v2")
    story.now += 3600
    gone = report(ProxyReport("edge-1", "edge", connected=False))
    step = decide(story.aggregate, gone, story.now, no_deadline_before=story.now + 10)
    assert isinstance(step, Wait)
    assert step.until == story.now + 10
    assert not isinstance(decide(story.aggregate, gone, story.now + 10), Wait)


def test_a_report_from_long_ago_proves_nothing() -> None:
    story = Story()
    story.deploy("v1")
    frozen = replace(proxy("edge-1", story.now, 1))
    story.now += 20
    assert "edge-1 has reported nothing for 20 s" in story.decide(report(frozen)).sentence


def test_requests_that_outlive_the_cluster_hold_the_release_up_and_are_told() -> None:
    story = Story()
    story.deploy("v1")
    story.decide(story.all_agree())
    story.command(commands.abort)
    story.decide(story.all_agree(active=2))
    story.now += 61
    story.one(story.all_agree(active=2))
    assert story.aggregate.deployment(1).withdrawn_at == story.now
    assert "withdrawn, with 4 requests" in story.decide(story.all_agree(active=2)).sentence
    story.now += 61
    assert "which cuts off 4 requests still under way" in story.one(story.all_agree(active=2))
    assert story.aggregate.deployment(1).released_at == story.now


def test_standby_is_retired_after_its_warm_time_and_released_when_nobody_holds_it() -> None:
    story = Story()
    story.release("v1")
    story.release("v2")
    story.now += 61
    story.decide(story.all_agree())
    warm = story.decide(story.all_agree())
    assert warm.until == story.now + 1800
    assert not warm.urgent
    story.now += 1801
    unproven = report(replace(proxy("edge-1", 0.0, 1, 2), connected=False, routes_acknowledged_at=None))
    assert "cannot be retired yet" in story.decide(unproven).sentence
    assert story.status(1) == "standby"
    story.one(story.all_agree())
    assert story.status(1) == "retired"
    assert weights(story) == {"green": 100}
    with pytest.raises(Refused, match="no way back"):
        story.command(commands.rollback)


def test_abort_before_the_first_step_leaves_the_candidate_ready() -> None:
    story = Story(MANUAL_STEPS)
    story.release("v1")
    story.deploy("v2")
    story.decide(story.all_agree())
    story.promote()
    story.command(commands.abort)
    story.decide(story.all_agree())
    assert (story.status(1), story.status(2)) == ("active", "ready")
    assert weights(story) == {"blue": 100, "green": 0}


def test_the_preview_follows_the_idle_environment() -> None:
    story = Story()
    story.release("v1")
    assert wanted_traffic(story.aggregate).preview is None
    story.deploy("v2")
    story.decide(story.all_agree())
    assert wanted_traffic(story.aggregate).preview == 2
    story.promote()
    story.decide(story.all_agree())
    assert wanted_traffic(story.aggregate).preview == 1


def test_a_silent_proxy_turns_the_rollout_back_where_that_is_wanted() -> None:
    story = Story(replace(MANUAL_STEPS, on_silent=OnSilent.TURN_BACK))
    story.release("v1")
    story.deploy("v2")
    story.decide(story.all_agree())
    story.promote()
    story.one(story.all_agree())
    silent = replace(proxy("edge-2", story.now, 1, 2), routes_acknowledged_at=None)
    story.now += 31
    assert "edge-2 has not acknowledged" in story.one(report(proxy("edge-1", story.now, 1, 2), silent))
    assert weights(story) == {"blue": 100, "green": 0}
