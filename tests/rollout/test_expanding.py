"""Nothing of a version exists before its schema does, and the active version lives with that."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from bluegreen.model.check import CheckKind
from bluegreen.model.event import Origin
from bluegreen.model.gates import Gates
from bluegreen.model.hook import Hook, Moment
from bluegreen.model.migration import (
    AppliedMigration,
    MigrationName,
    MigrationOutcome,
    Phase,
)
from bluegreen.model.provisioning import ProcessTemplate, Provisioning
from bluegreen.model.verdict import Verdict
from bluegreen.rollout import commands, migration_commands
from bluegreen.rollout.deploy_command import deploy
from bluegreen.rollout.draft import Draft
from bluegreen.rollout.migration_runs import conclude
from bluegreen.rollout.operations import DeployCommand
from bluegreen.rollout.pools import pools_of
from bluegreen.rollout.wanted_traffic import wanted_traffic
from tests.rollout.facts import Story
from tests.rollout.migrating import AT, TESTED, Release, released
from tests.rollout.scripted_migrator import SPLIT


def test_nothing_of_a_version_exists_before_its_schema_does() -> None:
    story = Release(provisioning=Provisioning(ProcessTemplate(("shop",)), instances=2))
    story.deploy("v1")
    assert story.status(1) == "expanding"
    wait = story.decide(story.all_agree())
    assert wait.sentence == ("v1 waits for its schema: the expand of v1 (migration 1) is under way.")
    assert (story.run.deployment, story.run.author, story.run.begun_at) == (1, "anna", story.now)
    assert wanted_traffic(story.aggregate).backends == ()
    assert list(pools_of(story.aggregate)) == []
    assert story.aggregate.deployment(1).deadline_at is None
    story.now += 5000.0
    story.ran()
    story.decide(story.all_agree())
    assert story.status(1) == "deploying"
    assert (
        story.aggregate.deployment(1).deadline_at
        == story.now + story.aggregate.service.strategy.ready_deadline
    )
    assert [each.capacity for each in pools_of(story.aggregate)] == [2]
    assert len(wanted_traffic(story.aggregate).backends) == 1


def test_a_service_without_a_database_expands_nothing() -> None:
    story = Story()
    story.deploy("v1")
    assert (story.status(1), story.aggregate.migration_runs) == ("deploying", ())


def test_a_version_that_is_ready_before_its_backfill_says_what_comes_first() -> None:
    story = Release()
    story.release("v1")
    story.expand("v2")
    story.decide(story.all_agree())
    assert story.status(2) == "ready"
    assert story.decide(story.all_agree()).sentence == (
        "v2 on green is ready, and before it is promoted comes the backfill of 0002_split_name: "
        "bluegreen migrations backfill shop."
    )
    story.migrate(Phase.BACKFILL)
    story.ran()
    assert story.decide(story.all_agree()).sentence == "v2 on green is ready to be promoted."


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.ERROR, Verdict.INCONCLUSIVE])
def test_an_expand_that_does_not_pass_fails_the_deployment(verdict: Verdict) -> None:
    story = Release(provisioning=Provisioning(ProcessTemplate(("shop",)), instances=2))
    story.deploy("v1")
    story.decide(story.all_agree())
    story.ran(verdict, "0002_split_name.expand.sql:3: no such table")
    sentence = story.one(story.all_agree())
    assert sentence == (
        "v1 failed: the expand of v1 (migration 1) has failed: 0002_split_name.expand.sql:3: no such table."
    )
    assert story.status(1) == "failed"
    assert (wanted_traffic(story.aggregate).backends, list(pools_of(story.aggregate))) == ((), [])
    story.decide(story.all_agree())
    assert story.aggregate.deployment(1).released_at is not None
    assert list(pools_of(story.aggregate)) == []


def test_hooks_before_the_deployment_come_first() -> None:
    story = Release(Gates(hooks=(Hook("ask", Moment.BEFORE_DEPLOY, command=("true",)),)))
    story.deploy("v1")
    assert "waits for the hooks" in story.decide(story.all_agree()).sentence
    assert story.run.begun_at is None
    story.answer()
    assert story.aggregate.deployment(1).deadline_at is None
    story.decide(story.all_agree())
    assert story.run.begun_at == story.now


def test_a_hook_that_fails_ends_the_wanted_expand_too() -> None:
    story = Release(Gates(hooks=(Hook("ask", Moment.BEFORE_DEPLOY, command=("true",)),)))
    story.deploy("v1")
    story.answer(Verdict.FAIL)
    story.one(story.all_agree())
    (run,) = story.aggregate.migration_runs
    assert (story.status(1), run.verdict, run.begun_at) == ("failed", Verdict.INCONCLUSIVE, None)


def test_the_active_version_is_tested_on_the_expanded_schema() -> None:
    story = Release(TESTED)
    story.deploy("v1")
    story.decide(story.all_agree())
    story.ran()
    assert story.aggregate.checks == ()  # nobody has the traffic yet
    story.decide(story.all_agree())
    story.answer()
    story.decide(story.all_agree())
    story.promote()
    story.decide(story.all_agree())
    story.expand("v2")
    (check,) = [each for each in story.aggregate.checks if each.is_open]
    assert (check.kind, check.deployment) == (CheckKind.TESTS_OF_ACTIVE, 1)
    assert "until the active version is tested" in story.decide(story.all_agree()).sentence
    assert wanted_traffic(story.aggregate).preview is None
    story.answer()
    story.decide(story.all_agree())
    assert story.status(2) == "deploying"


def test_an_active_version_that_fails_its_tests_stops_the_deployment_and_nothing_is_undone() -> None:
    story = Release(TESTED)
    story.deploy("v1")
    story.decide(story.all_agree())
    story.ran()
    story.decide(story.all_agree())
    story.answer()
    story.decide(story.all_agree())
    story.promote()
    story.decide(story.all_agree())
    story.expand("v2")
    story.answer(Verdict.FAIL)
    assert story.one(story.all_agree()) == (
        "v2 failed: the active version v1 fails its tests on the expanded schema: 1 of 1 tests of the active "
        "version failed: home: 500, wanted 200; the schema stays expanded, nothing is undone."
    )
    assert (story.status(1), story.status(2)) == ("active", "failed")
    assert [each.migration for each in story.aggregate.ledger] == [SPLIT[Phase.EXPAND]]
    assert story.aggregate.open_run is None


def test_an_abort_ends_the_run_and_what_it_comes_to_is_known_all_the_same() -> None:
    story = Release()
    story.release("v1")
    story.deploy("v2")
    story.decide(story.all_agree())
    number = story.run.id
    story.command(commands.abort)
    run = story.aggregate.migration_runs[-1]
    assert (story.status(2), run.verdict, run.summary) == (
        "failed",
        Verdict.INCONCLUSIVE,
        "ended with the deployment",
    )
    applied = AppliedMigration(SPLIT[Phase.EXPAND], "5f", "v2", "anna", AT, 0.1)
    outcome = MigrationOutcome(Verdict.PASS, "1 file is applied", ledger=(applied,))
    story.now = AT
    draft = Draft(story.aggregate, story.now, Origin("anna"))
    conclude(draft, run=number, outcome=outcome)
    assert len(draft.change("").events) == 1  # so that it is written
    sentence = story.command(partial(conclude, run=number, outcome=outcome))
    assert (
        sentence == f"Nobody waits for migration {number} any more; it had come to this: 1 file is applied."
    )
    assert story.aggregate.ledger == (applied,)
    assert story.aggregate.migration_runs[-1] == run


def test_what_was_known_to_be_applied_stays_as_it_was_known() -> None:
    story = Release()
    story.release("v2")
    known = story.aggregate.ledger
    story.migrate(Phase.EXPAND, "v3")
    other = replace(known[0], checksum="6a")
    more = AppliedMigration(MigrationName(3, "nick", Phase.EXPAND), "7b", "v3", "anna", AT, 0.1)
    outcome = MigrationOutcome(Verdict.PASS, "done", ledger=(other, more))
    story.now = AT
    story.command(partial(conclude, run=story.run.id, outcome=outcome))
    assert story.aggregate.ledger == (*known, more)


def test_a_deployment_whose_database_was_taken_out_of_the_service_file_goes_on() -> None:
    story = Release()
    story.deploy("v1")
    story.command(migration_commands.stop)
    service = replace(story.aggregate.service, database=None)
    story.aggregate = replace(story.aggregate, service=service)
    story.decide(story.all_agree())
    assert story.status(1) == "ready"


def test_the_way_back_is_kept_while_the_active_version_has_not_passed_its_tests_on_the_new_schema() -> None:
    """That is when it is needed."""
    story = released()
    story.aggregate = replace(story.aggregate, service=replace(story.aggregate.service, gates=TESTED))
    story.migrate(Phase.EXPAND, "v3")
    story.ran()

    def refused() -> str:
        return str(story.refused(lambda draft: deploy(draft, DeployCommand("shop", "v3", (), True))))

    assert refused().startswith("v2 is still being tested on the schema that was expanded for v3")
    story.answer(Verdict.FAIL)
    assert refused() == (
        "v2 fails its tests on the schema that was expanded for v3, and the standby is kept: 1 of 1 tests of "
        "the active version failed: home: 500, wanted 200. Possible: rollback; bluegreen migrations expand "
        "shop v3, which makes them again."
    )
    assert story.status(1) == "standby"
    story.migrate(Phase.EXPAND, "v3")
    story.ran()
    story.answer()
    story.deploy("v3", replace_standby=True)
