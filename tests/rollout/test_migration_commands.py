"""What migrations stand in the way of, and how they are asked for: with the words of each refusal."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from bluegreen.model.errors import InvalidInput, Overtaken, Refused
from bluegreen.model.migration import (
    MigrationName,
    MigrationProgress,
    Phase,
)
from bluegreen.model.verdict import Verdict
from bluegreen.rollout import commands, gate_commands, migration_commands
from bluegreen.rollout.deploy_command import deploy
from bluegreen.rollout.migration_commands import order_to_plan
from bluegreen.rollout.migrations import describe_progress, named, way_back_ends
from bluegreen.rollout.operations import DeployCommand, MigrateCommand
from bluegreen.rollout.refusals import possible
from bluegreen.rollout.retire_command import retire
from bluegreen.rollout.standing import standing
from tests.rollout.facts import Story
from tests.rollout.migrating import DATABASE, TESTED, Release, released
from tests.rollout.scripted_migrator import SPLIT


def test_while_the_schema_is_expanded_other_commands_say_so_with_its_progress() -> None:
    story = Release()
    story.release("v1")
    story.migrate(Phase.EXPAND, "v2")
    story.progress = MigrationProgress("0002_split_name.expand.sql", note="waits for a lock")
    busy = (
        "The expand of v2 (migration 2) is under way: 0002_split_name.expand.sql; waits for a lock. "
        "Possible: migrations stop, status, history, events."
    )
    assert str(story.refused(lambda draft: deploy(draft, DeployCommand("shop", "v2")))) == busy
    assert str(story.refused(lambda draft: retire(draft, confirmed=True))) == busy
    for phase in Phase:
        assert story.cannot_migrate(phase, "v2") == busy


def test_what_is_asked_for_is_not_told_as_if_it_were_done() -> None:
    story = Release()
    story.release("v1")
    story.expand("v2")
    story.decide(story.all_agree())
    assert story.migrate(Phase.BACKFILL) == "What v2 has added is to be filled in (migration 3)."
    story.command(migration_commands.stop)
    assert story.migrate(Phase.EXPAND, "v2") == "The schema is to be expanded for v2 (migration 4)."


def test_a_backfill_lets_the_service_be_retired_and_ends_with_that() -> None:
    story = Release()
    story.release("v1")
    story.expand("v2")
    story.decide(story.all_agree())
    story.migrate(Phase.BACKFILL)
    story.command(lambda draft: retire(draft, confirmed=True))
    assert story.aggregate.open_run is None


def test_a_backfill_stands_in_the_way_of_deploys_and_of_its_own_version_alone() -> None:
    story = Release()
    story.release("v1")
    story.expand("v2")
    story.decide(story.all_agree())
    story.migrate(Phase.BACKFILL)
    story.progress = MigrationProgress("0002_split_name.backfill.sql", 400_000, 1_000_000, 10_000.0)
    busy = str(story.refused(partial(commands.promote, full=False)))
    assert busy.startswith(
        "The backfill of v2 (migration 3) is under way: 0002_split_name.backfill.sql, 400,000 of 1,000,000 "
        "rows, 1m left. Possible: migrations stop, abort, retire,"
    )
    assert "is under way" in str(story.refused(lambda draft: deploy(draft, DeployCommand("shop", "v3"))))
    story.ran()
    story.migrate(Phase.BACKFILL, "v1")
    assert "Rollout 2 of v2" in story.promote()


def test_a_version_is_tested_once_it_is_there() -> None:
    story = Release(TESTED)
    story.deploy("v1")
    assert "v1 waits for its schema" in str(story.refused(partial(gate_commands.run_tests, active=False)))


def test_what_was_seen_while_it_expanded_is_what_is_promoted() -> None:
    story = Release()
    story.deploy("v1")
    seen = standing(story.aggregate)
    assert seen.candidate == 1
    story.decide(story.all_agree())
    story.ran()
    story.decide(story.all_agree())
    story.command(partial(commands.promote, full=False, expected=seen))


def test_a_promotion_waits_for_the_backfill_and_says_how_to_run_it() -> None:
    story = Release()
    story.release("v1")
    story.expand("v2")
    story.decide(story.all_agree())
    refused = story.refused(partial(commands.promote, full=False))
    assert str(refused) == (
        "v2 cannot have the traffic before the backfill of 0002_split_name has run. "
        "Next: bluegreen migrations backfill shop."
    )
    assert possible(story.aggregate).startswith("Possible: migrations backfill, deploy, abort")
    story.migrate(Phase.BACKFILL)
    story.ran(Verdict.FAIL)
    assert "before the backfill" in str(story.refused(partial(commands.promote, full=False)))
    story.migrate(Phase.BACKFILL)
    story.ran()
    story.promote()


def test_who_takes_the_database_out_of_the_service_file_is_not_asked_to_fill_it_in() -> None:
    story = Release()
    story.release("v1")
    story.expand("v2")
    story.decide(story.all_agree())
    story.aggregate = replace(story.aggregate, service=replace(story.aggregate.service, database=None))
    assert way_back_ends(story.aggregate) == ""
    story.promote()


def test_a_backfill_is_of_the_candidate_else_of_the_active_version() -> None:
    story = Release()
    assert "no version that could be backfilled" in story.cannot_migrate(Phase.BACKFILL)
    story.release("v1")
    assert "What v1 has added" in story.migrate(Phase.BACKFILL)
    story.ran()
    story.deploy("v2")
    story.decide(story.all_agree())
    assert "The expand of v2 (migration 3) is under way" in story.cannot_migrate(Phase.BACKFILL)
    story.ran()
    story.decide(story.all_agree())
    assert "What v2 has added" in story.migrate(Phase.BACKFILL)
    assert story.run.deployment == 2
    story.ran()
    assert "v9 is not deployed, so that nobody writes what it has added. Deployed: v1, v2." in (
        story.cannot_migrate(Phase.BACKFILL, "v9")
    )


def test_a_backfill_does_not_mean_the_active_version_where_that_of_a_failed_one_is_left() -> None:
    story = Release()
    story.release("v1")
    story.expand("v2")
    story.command(commands.abort)
    assert story.cannot_migrate(Phase.BACKFILL) == (
        "v1 is active, and has nothing to fill in. The backfill of 0002_split_name is left, and v2, which "
        "has brought it, is not deployed: nobody writes what it has added. Next: bluegreen deploy shop v2."
    )
    assert "What v1 has added" in story.migrate(Phase.BACKFILL, "v1")


def test_of_two_operators_who_mean_another_version_the_second_is_told() -> None:
    story = released()
    story.report = story.all_agree()
    seen = standing(story.aggregate)
    story.command(commands.rollback)
    story.decide(story.all_agree())
    assert story.status(1) == "active"
    for phase in (Phase.CONTRACT, Phase.BACKFILL):
        with pytest.raises(Overtaken, match=r"^Not as you saw it\. Now v1 on blue is active"):
            story.migrate(phase, expected=seen)


def test_what_was_deployed_before_there_was_a_database_is_expanded_before_it_is_promoted() -> None:
    story = Release()
    story.aggregate = replace(story.aggregate, service=replace(story.aggregate.service, database=None))
    story.deploy("v1")
    story.decide(story.all_agree())
    story.promote()
    story.decide(story.all_agree())
    story.deploy("v2")
    story.decide(story.all_agree())
    story.aggregate = replace(story.aggregate, service=replace(story.aggregate.service, database=DATABASE))
    assert str(story.refused(partial(commands.promote, full=False))) == (
        "v2 was deployed before shop had a database: nothing says that the schema is expanded for it. Next: "
        "bluegreen migrations expand shop v2."
    )
    story.migrate(Phase.EXPAND, "v2")
    story.ran()
    assert "before the backfill" in str(story.refused(partial(commands.promote, full=False)))


def test_a_run_that_is_stopped_can_be_asked_for_again() -> None:
    story = Release()
    assert "no migration of shop is open" in str(story.refused(migration_commands.stop))
    story.release("v1")
    story.migrate(Phase.BACKFILL)
    number = story.run.id
    assert story.command(migration_commands.stop) == (
        f"The backfill of v1 (migration {number}) is stopped by anna; a later one goes on where it stood."
    )
    assert story.aggregate.migration_runs[-1].verdict is Verdict.INCONCLUSIVE
    story.migrate(Phase.BACKFILL)
    assert story.run.id == number + 1


def test_stopping_the_expand_of_a_deployment_fails_it() -> None:
    story = Release()
    story.deploy("v1")
    story.decide(story.all_agree())
    story.command(migration_commands.stop)
    assert story.one(story.all_agree()).endswith("has failed: is stopped by anna.")


def test_an_expand_names_its_version() -> None:
    story = Release()
    with pytest.raises(InvalidInput, match="Name the version"):
        story.migrate(Phase.EXPAND)


def test_a_service_without_a_database_has_nothing_to_migrate() -> None:
    story = Story()
    with pytest.raises(Refused, match=r"shop has no database .* under services\.shop\.database"):
        story.command(partial(migration_commands.migrate, command=MigrateCommand("shop", Phase.EXPAND, "v1")))


def test_a_plan_is_of_the_candidate_else_of_the_active_version() -> None:
    story = Release()
    with pytest.raises(Refused, match="has no version yet"):
        order_to_plan(story.aggregate, "")
    assert order_to_plan(story.aggregate, "v7").version == "v7"
    story.release("v2")
    order = order_to_plan(story.aggregate, "")
    assert (order.version, order.known, order.database) == ("v2", story.aggregate.ledger, DATABASE)
    story.deploy("v3")
    assert order_to_plan(story.aggregate, "").version == "v3"


def test_words() -> None:
    third = MigrationName(3, "nick", Phase.BACKFILL)
    assert named([*SPLIT.values(), third]) == "0002_split_name and 0003_nick"
    assert named([SPLIT[Phase.EXPAND], third, replace(third, number=4)]) == (
        "0002_split_name, 0003_nick and 0004_nick"
    )
    assert describe_progress(MigrationProgress("a.sql", 10, note="waits")) == "a.sql, 10 rows; waits"
    assert describe_progress(MigrationProgress()) == ""
