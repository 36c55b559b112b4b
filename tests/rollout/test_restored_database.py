"""A database that was restored from a backup, or is another one: once that is accepted, what it has is the
truth."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from bluegreen.model.migration import AppliedMigration, MigrationName, MigrationOutcome, Phase
from bluegreen.model.verdict import Verdict
from bluegreen.rollout.migration_runs import conclude
from bluegreen.rollout.migrations import contracts_since, pending_after
from tests.rollout.migrating import AT, Release, released
from tests.rollout.scripted_migrator import SPLIT


def applied(phase: Phase, checksum: str = "5f") -> AppliedMigration:
    return AppliedMigration(SPLIT[phase], checksum, "v2", "anna", AT, 0.1)


def came_to(story: Release, *ledger: AppliedMigration, verdict: Verdict = Verdict.PASS) -> str:
    """The open run has found this ledger, and left the backfill."""
    outcome = MigrationOutcome(verdict, "done", ledger=ledger, backfills_left=(SPLIT[Phase.BACKFILL],))
    return story.command(partial(conclude, run=story.run.id, outcome=outcome))


def test_what_it_has_lost_is_not_applied_any_more_where_that_is_accepted() -> None:
    story = released()
    assert [each.migration.phase for each in story.aggregate.ledger] == [Phase.EXPAND, Phase.BACKFILL]
    known = story.aggregate.ledger[0]
    story.migrate(Phase.EXPAND, "v2", accept_drift=True)
    came_to(story, replace(known, applied_at=known.applied_at + 1.0))
    assert story.aggregate.ledger == (known,)
    assert pending_after(story.aggregate, "v2").backfills == (SPLIT[Phase.BACKFILL],)


def test_an_older_version_can_be_deployed_again_after_that() -> None:
    """What is known is what the next run is measured by: it would be refused for ever."""
    story = released()
    story.migrate(Phase.EXPAND, "v1", accept_drift=True)
    came_to(story)
    assert story.aggregate.ledger == ()


def test_a_file_that_is_there_in_another_form_is_known_as_that() -> None:
    story = released()
    story.migrate(Phase.EXPAND, "v2", accept_drift=True)
    other = applied(Phase.EXPAND, "6a")
    came_to(story, other)
    assert story.aggregate.ledger == (replace(other, applied_at=story.now),)


def test_nothing_is_forgotten_where_the_database_could_not_be_read_or_nobody_accepts_it() -> None:
    story = released()
    known = story.aggregate.ledger
    story.migrate(Phase.EXPAND, "v2", accept_drift=True)
    outcome = MigrationOutcome(Verdict.ERROR, "no connection", ledger=None)
    story.command(partial(conclude, run=story.run.id, outcome=outcome))
    story.migrate(Phase.EXPAND, "v2")
    came_to(story, verdict=Verdict.FAIL)
    assert story.aggregate.ledger == known


def test_a_database_whose_clock_is_ahead_does_not_end_a_way_back_that_is_there() -> None:
    """The contract was applied before v3 was deployed: its expand has passed on it."""
    story = released()
    story.migrate(Phase.EXPAND, "v3")
    ahead = replace(applied(Phase.CONTRACT), applied_at=story.now + 3600.0)
    nick = AppliedMigration(MigrationName(3, "nick", Phase.EXPAND), "7b", "v3", "anna", AT, 0.1)
    came_to(story, *story.aggregate.ledger, ahead, nick)
    later = replace(story.aggregate.deployment(2), version="v3", deployed_at=story.now + 1.0)
    assert contracts_since(story.aggregate, later) == ()
