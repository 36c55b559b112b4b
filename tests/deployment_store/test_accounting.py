"""No status changes without its event, and no event of the table lies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.deployment import Status
from bluegreen.model.errors import IllegalTransition, Refused
from bluegreen.model.event import Event, What
from bluegreen.model.traffic_rule import TrafficRule
from deployment_store.accounting import check_accounts
from deployment_store.state_machine import INITIAL
from tests.deployment_store.samples import SHOP, deployment, event, moved, rollout

EMPTY = ServiceAggregate(SHOP, TrafficRule("shop"))
STORED = EMPTY.with_deployment(deployment(1))
READY = STORED.with_deployment(replace(deployment(1), status=Status.READY))
PREPARED = event(What.PREPARED, 1, "deploying", "ready")


def test_a_change_with_its_event_is_accounted_for() -> None:
    check_accounts(STORED, READY, [event(What.CLUSTERS_PROVEN, 1), PREPARED])


def test_two_changes_with_an_event_each() -> None:
    both = STORED.with_deployment(deployment(2))
    first, one = moved(both, 1, What.PREPARED)
    second, two = moved(first, 2, What.FAILED)
    check_accounts(both, second, [two, one])


def test_a_change_of_other_fields_needs_no_event() -> None:
    check_accounts(STORED, STORED.with_deployment(replace(deployment(1), prepared_at=5.0, note="x")), [])


@pytest.mark.parametrize(
    ("events", "sentence"),
    [
        ([], "without an event"),
        ([event(What.PAUSED, 1, "deploying", "ready")], "without an event"),
        ([event(What.PREPARED, 2, "deploying", "ready")], "without an event"),
        ([PREPARED, PREPARED], "prepared and prepared in one write"),
        ([event(What.PREPARED, 1, "ready", "ready")], "ready -> ready"),
        ([event(What.PREPARED, 1, "deploying", "active")], "deploying -> active"),
        ([event(What.PREPARED, 1)], "nothing -> nothing"),
        ([event(What.ACTIVATED, 1, "deploying", "ready")], "deploying cannot be activated"),
        ([event(What.FAILED, 1, "deploying", "ready")], "would become ready"),
        ([PREPARED, event(What.FAILED, 7, "deploying", "failed")], "Deployment 7 of shop cannot be failed"),
        ([PREPARED, event(What.FAILED)], "Deployment None of shop cannot be failed"),
    ],
)
def test_what_does_not_account_for_a_change(events: list[Event], sentence: str) -> None:
    with pytest.raises(IllegalTransition, match=sentence):
        check_accounts(STORED, READY, events)


def test_an_event_without_a_change_is_refused() -> None:
    with pytest.raises(IllegalTransition, match="would become deploying"):
        check_accounts(STORED, STORED, [PREPARED])


@pytest.mark.parametrize("status", [each for each in Status if each not in INITIAL])
def test_a_new_deployment_is_deploying_or_expanding(status: Status) -> None:
    with pytest.raises(IllegalTransition, match="It begins as deploying or expanding"):
        check_accounts(EMPTY, EMPTY.with_deployment(replace(deployment(1), status=status)), [])


def test_a_new_deployment_has_not_moved_yet() -> None:
    with pytest.raises(IllegalTransition, match="is new"):
        check_accounts(EMPTY, STORED, [PREPARED])


def test_an_event_of_another_service_is_refused() -> None:
    with pytest.raises(Refused, match="carries an event of cart"):
        check_accounts(STORED, READY, [replace(PREPARED, service="cart")])


def test_nothing_is_left_out() -> None:
    with pytest.raises(Refused, match=r"leaves out its deployments \[1\]"):
        check_accounts(STORED, EMPTY, [])
    with pytest.raises(Refused, match="leaves out its rollout"):
        check_accounts(replace(STORED, rollout=rollout(1)), STORED, [])
