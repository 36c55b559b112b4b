"""A contract begins when nobody needs any more what it takes away, and ends the way back."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from bluegreen.model.errors import Refused
from bluegreen.model.migration import (
    AppliedMigration,
    LintFinding,
    MigrationName,
    MigrationOrder,
    MigrationOutcome,
    MigrationPlan,
    Phase,
)
from bluegreen.model.provisioning import ProcessTemplate, Provisioning
from bluegreen.model.traffic_report import TrafficReport
from bluegreen.model.verdict import Finding, Verdict
from bluegreen.rollout import commands
from bluegreen.rollout.analysis.observation import Observation
from bluegreen.rollout.analysis.stretch import stretch_of
from bluegreen.rollout.migration_guards import refuse_bad_plan
from bluegreen.rollout.migration_runs import conclude
from bluegreen.rollout.migrations import way_back_ends
from bluegreen.rollout.refusals import possible
from tests.rollout.facts import MANUAL_STEPS
from tests.rollout.migrating import DATABASE, Release, released
from tests.rollout.scripted_migrator import SPLIT
from tests.rollout.test_gate_decisions import WATCHED

ORDER = MigrationOrder("shop", "v2", Phase.CONTRACT, DATABASE, "anna")


def test_the_way_back_is_not_given_up_in_passing() -> None:
    story = released()
    assert story.cannot_migrate(Phase.CONTRACT) == (
        "v1 on blue is standby, the way back: the contract of v2 ends that. Possible: migrations contract "
        "--retire-standby, which gives the way back up; wait until it is retired; rollback."
    )
    assert story.status(1) == "standby"


def test_a_contract_begins_once_no_proxy_leads_to_another_version_and_not_before() -> None:
    story = released()
    agreed = story.all_agree()
    story.report = agreed
    sentence = story.migrate(Phase.CONTRACT, retire_standby=True)
    assert "once this is over: v1 (revision 1) is over, but not released" in sentence
    assert (story.status(1), story.run.begun_at) == ("retired", None)
    late = replace(agreed.proxies[1], routes_acknowledged_at=None)
    wait = story.decide(TrafficReport((agreed.proxies[0], late)))
    assert wait.sentence == (
        "The contract of v2 (migration 4) waits: v1 (revision 1) is over, but not released: its removal is "
        "acknowledged by 1 of 2 proxies; edge-2 has not acknowledged the routes."
    )
    assert (wait.urgent, story.run.begun_at) == (True, None)
    story.now += 100.0
    wait = story.decide(story.all_agree())
    assert story.aggregate.deployment(1).released_at == story.now
    assert story.sentences[-1] == (
        "The contract of v2 (migration 4) begins: no proxy leads to any version but v2, acknowledged by all "
        "2 proxies."
    )
    assert story.run.begun_at == story.now
    assert wait.sentence == "The contract of v2 (migration 4) is under way."


def test_a_proxy_that_lags_at_the_last_moment_holds_a_contract_up() -> None:
    story = released()
    story.settle()
    assert [each.version for each in story.aggregate.deployments if each.is_held] == ["v2"]
    agreed = story.all_agree()
    late = TrafficReport((agreed.proxies[0], replace(agreed.proxies[1], routes_acknowledged_at=None)))
    story.report = late
    assert story.cannot_migrate(Phase.CONTRACT) == (
        "v2 cannot contract the schema yet: the routes are acknowledged by 1 of 2 proxies; edge-2 has not "
        "acknowledged the routes. Possible: wait for that; migrations contract --retire-standby, which "
        "begins once it is so."
    )
    story.report = agreed
    story.migrate(Phase.CONTRACT)
    assert story.run.begun_at is None
    assert "waits: the routes are acknowledged by 1 of 2" in story.decide(late).sentence
    story.decide(story.all_agree())
    assert story.run.begun_at is not None


def test_nobody_known_proves_nothing() -> None:
    story = released()
    story.settle()
    assert "no proxy of the service's gateways is known yet" in story.cannot_migrate(Phase.CONTRACT)


def test_instances_that_still_run_hold_a_contract_up() -> None:
    story = released()
    story.settle()
    story.report = story.all_agree()
    first = replace(
        story.aggregate.deployment(1),
        provisioning=Provisioning(ProcessTemplate(("shop",)), instances=2),
        stopped_at=None,
    )
    story.aggregate = story.aggregate.with_deployment(first)
    assert "the instances of v1 (revision 1) are not stopped yet" in story.cannot_migrate(Phase.CONTRACT)


@pytest.mark.parametrize("until", ["expanding", "deploying", "ready"])
def test_a_candidate_holds_a_contract_up(until: str) -> None:
    story = released()
    story.settle()
    story.report = story.all_agree()
    story.deploy("v3")
    if until != "expanding":
        story.decide(TrafficReport())
        story.ran()
        story.decide(story.all_agree() if until == "ready" else TrafficReport())
    assert story.status(3) == until
    why = story.cannot_migrate(Phase.CONTRACT, retire_standby=True)
    if until == "expanding":
        assert "The expand of v3" in why
    else:
        assert why.startswith(f"v3 on blue is {until}, and may need what the contract takes away. Possible:")


def test_an_open_rollout_holds_a_contract_and_an_expand_up() -> None:
    story = Release(strategy=MANUAL_STEPS)
    story.release("v1")
    story.expand("v2")
    story.decide(story.all_agree())
    story.migrate(Phase.BACKFILL)
    story.ran()
    story.promote()
    story.decide(story.all_agree())
    for phase in (Phase.CONTRACT, Phase.EXPAND):
        assert "A promotion of v2 is open" in story.cannot_migrate(phase, "v2")


def test_a_contract_waits_for_the_backfill() -> None:
    story = Release()
    story.release("v2")
    story.migrate(Phase.EXPAND, "v2")
    left = (MigrationName(3, "nick", Phase.BACKFILL),)
    outcome = MigrationOutcome(Verdict.PASS, "done", backfills_left=left)
    story.command(partial(conclude, run=story.run.id, outcome=outcome))
    assert story.cannot_migrate(Phase.CONTRACT) == (
        "The contract has to wait for the backfill of 0003_nick. Next: bluegreen migrations backfill shop."
    )


def test_a_contract_is_for_the_version_that_has_the_traffic() -> None:
    story = Release()
    assert "No version is active: a contract is for" in story.cannot_migrate(Phase.CONTRACT)
    story.release("v1")
    assert "v2 is not active: a contract is for" in story.cannot_migrate(Phase.CONTRACT, "v2")


def test_the_way_back_is_kept_where_nothing_is_to_be_contracted() -> None:
    story = Release()
    story.release("v2")
    story.release("v1")
    assert "v1 has nothing to contract" in story.cannot_migrate(Phase.CONTRACT, retire_standby=True)


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        (MigrationPlan((), (), problems=("no connection", "and more")), "no connection; and 1 more"),
        (MigrationPlan((), (), drift=("people.age was dropped",)), "by other hands: people.age was dropped"),
        (
            MigrationPlan((), (), findings=(LintFinding("0002_a.contract.sql", 3, 1, "r", "renames", ""),)),
            "0002_a.contract.sql:3: renames",
        ),
    ],
)
def test_what_would_be_refused_does_not_cost_the_way_back(plan: MigrationPlan, reason: str) -> None:
    with pytest.raises(Refused, match="the standby is kept") as refused:
        refuse_bad_plan(plan, order=ORDER, accept_drift=False)
    assert reason in str(refused.value)
    assert "bluegreen migrations plan shop v2" in str(refused.value)


def test_findings_of_other_phases_and_drift_that_is_accepted_hold_no_contract_up() -> None:
    found = LintFinding("0003_b.expand.sql", 3, 1, "r", "drops")
    told = LintFinding("0002_a.contract.sql", 3, 1, "r", "style", refused=False)
    plan = MigrationPlan((), (), findings=(found, told), drift=("people.age was dropped",))
    refuse_bad_plan(plan, order=ORDER, accept_drift=True)


def test_a_version_that_was_overtaken_before_its_contract_began_gives_it_up() -> None:
    story = released()
    story.settle()
    story.report = story.all_agree()
    story.migrate(Phase.CONTRACT)
    run = replace(story.run, deployment=1)
    story.aggregate = story.aggregate.with_migration_run(run)
    assert "is given up: its version is not active any more" in story.one(story.all_agree())
    assert story.aggregate.open_run is None


def test_the_status_says_beforehand_where_the_way_back_ends() -> None:
    story = Release()
    story.release("v1")
    assert way_back_ends(story.aggregate) == ""
    story.expand("v2")
    says = "The way back to v1 ends with the contract of 0002_split_name."
    assert way_back_ends(story.aggregate) == says
    story.decide(story.all_agree())
    story.migrate(Phase.BACKFILL)
    story.ran()
    story.promote()
    story.decide(story.all_agree())
    assert way_back_ends(story.aggregate) == says
    story.command(commands.rollback)
    story.decide(story.all_agree())
    assert (story.status(1), way_back_ends(story.aggregate)) == ("active", says)
    story.promote()
    story.decide(story.all_agree())
    story.settle()
    assert way_back_ends(story.aggregate) == ""
    assert possible(story.aggregate).startswith("Possible: migrations contract, deploy, retire")


def test_a_rollback_is_never_held_up_by_an_expand_or_a_backfill() -> None:
    for phase in (Phase.EXPAND, Phase.BACKFILL):
        story = released()
        story.migrate(phase, "v2")
        assert "v1 on blue takes all traffic back" in story.command(commands.rollback)


def test_during_a_contract_and_after_it_a_rollback_is_refused_with_the_reason() -> None:
    story = released()
    story.report = story.all_agree()
    story.migrate(Phase.CONTRACT, retire_standby=True)
    story.now += 100.0
    story.decide(story.all_agree())
    assert "shop has no way back. It was given up for the contract of v2 (migration 4)." in str(
        story.refused(commands.rollback)
    )
    story.ran()
    assert (
        "shop has no way back. It ended with the contract of 0002_split_name: no version before can live "
        "with that."
    ) in str(story.refused(commands.rollback))


def contracted_by_another(story: Release) -> None:
    """The ledger tells of a contract that this control plane has not run."""
    story.now += 1.0
    story.migrate(Phase.EXPAND, "v2")
    contract = AppliedMigration(SPLIT[Phase.CONTRACT], "5f", "v2", "bert", story.now, 0.1)
    outcome = MigrationOutcome(Verdict.PASS, "done", ledger=(*story.aggregate.ledger, contract))
    story.command(partial(conclude, run=story.run.id, outcome=outcome))


def test_a_version_from_before_a_contract_is_no_way_back_however_it_came_to_stay() -> None:
    story = released()
    contracted_by_another(story)
    assert str(story.refused(commands.rollback)).startswith(
        "v1 cannot live with the database any more: the contract of 0002_split_name has taken away what it "
        "needs."
    )


def test_nor_does_a_bad_analysis_roll_back_to_it() -> None:
    story = released(WATCHED)
    contracted_by_another(story)
    stretch = stretch_of(story.aggregate)
    assert stretch is not None
    finding = Finding("success_rate >= 99", Verdict.FAIL, "95 %")
    story.observation = Observation(stretch, stretch.since, Verdict.FAIL, findings=(finding,))
    story.decide(story.all_agree())
    assert (story.status(1), story.status(2), story.aggregate.open_rollout) == ("standby", "active", None)
