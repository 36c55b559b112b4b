"""The life of a run of migrations, as changes of a draft. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bluegreen.model.check import Check, CheckKind
from bluegreen.model.event import What
from bluegreen.model.migration import MigrationOutcome, Phase
from bluegreen.model.migration_run import MigrationRun
from bluegreen.model.verdict import Verdict
from bluegreen.rollout.draft import Draft
from bluegreen.rollout.migrations import describe_run

MOST_FINDINGS = 100
"""Findings that are kept of one run: the first ones."""


def want_run(draft: Draft, phase: Phase, version: str, **more: Any) -> MigrationRun:
    """Have a phase run, durably; `more` are further fields of the run."""
    run = MigrationRun(
        id=draft.aggregate.last_migration_run_id + 1,
        service=draft.aggregate.name,
        version=version,
        phase=phase,
        wanted_at=draft.now,
        author=draft.asked_by,
        **more,
    )
    draft.record_run(run, What.MIGRATION_WANTED, f"The {describe_run(run)} is wanted.")
    return run


def begin_run(draft: Draft, run: MigrationRun, why: str) -> str:
    """Nothing stands in its way any more: whoever drives the service runs it from now on."""
    sentence = f"The {describe_run(run)} begins: {why}."
    draft.record_run(replace(run, begun_at=draft.now), What.MIGRATION_BEGUN, sentence)
    return sentence


def end_run(draft: Draft, run: MigrationRun, summary: str) -> str:
    """Nobody waits for it any more. What it has applied stays applied."""
    sentence = f"The {describe_run(run)} {summary}"
    ended = replace(run, verdict=Verdict.INCONCLUSIVE, finished_at=draft.now, summary=summary)
    draft.record_run(ended, What.MIGRATED, f"{sentence}.")
    return sentence


def conclude(draft: Draft, *, run: int, outcome: MigrationOutcome) -> str:
    """Take in what a run came to. One that is over stays as it is, but what it has applied is known then."""
    asked = next((each for each in draft.aggregate.migration_runs if each.id == run and each.is_open), None)
    if asked is not None and asked.accept_drift:
        _forget_what_is_lost(draft, asked, outcome)
    new = _learn(draft, outcome)
    if asked is None:
        sentence = f"Nobody waits for migration {run} any more; it had come to this: {outcome.summary}."
        if new:
            draft.record(What.MIGRATED, sentence)
        return sentence
    over = replace(
        asked,
        verdict=outcome.verdict,
        finished_at=draft.now,
        summary=outcome.summary,
        findings=outcome.findings[:MOST_FINDINGS],
        backfills_left=outcome.backfills_left,
        contracts_left=outcome.contracts_left,
    )
    how = "has passed" if over.has_passed else "has failed"
    sentence = f"The {describe_run(over)} {how}: {outcome.summary}."
    draft.record_run(over, What.MIGRATED, sentence)
    if over.has_passed and over.phase is Phase.EXPAND:
        _test_the_active(draft, over)
    return sentence


def _forget_what_is_lost(draft: Draft, run: MigrationRun, outcome: MigrationOutcome) -> None:
    """The database was restored from a backup, or is another one, and that is accepted: what it does not have
    any more is not applied any more. Else each later run would be measured by it, and refused."""
    if outcome.ledger is None:
        return
    there = {(each.migration, each.checksum) for each in outcome.ledger}
    known = draft.aggregate.ledger
    kept = tuple(each for each in known if (each.migration, each.checksum) in there)
    if kept == known:
        return
    lost = ", ".join(str(each.migration) for each in known if each not in kept)
    draft.aggregate = replace(draft.aggregate, ledger=kept)
    draft.record(
        What.LEDGER_LOST,
        f"The database does not have {lost} any more: what it has is the truth, by {run.author}.",
        deployment=run.deployment,
    )


def _learn(draft: Draft, outcome: MigrationOutcome) -> bool:
    """Append what the database has and we had not; whether there was anything. What was known stays as it
    was known: where the database says otherwise, that is for the next run to complain of."""
    known = {(each.migration.number, each.migration.phase) for each in draft.aggregate.ledger}
    applied = outcome.ledger or ()
    # Times are compared with ours: a database whose clock is ahead has applied nothing in the future.
    new = tuple(
        replace(each, applied_at=min(each.applied_at, draft.now))
        for each in applied
        if (each.migration.number, each.migration.phase) not in known
    )
    draft.aggregate = replace(draft.aggregate, ledger=(*draft.aggregate.ledger, *new))
    return bool(new)


def _test_the_active(draft: Draft, run: MigrationRun) -> None:
    """The active version has to live with the schema that was made for the next one."""
    active, tests = draft.aggregate.active, draft.aggregate.service.gates.tests
    if active is None or not tests:
        return
    count = f"{len(tests)} test{'' if len(tests) == 1 else 's'}"
    sentence = f"{active.version} on {active.environment} is tested on the expanded schema: {count}."
    draft.want(CheckKind.TESTS_OF_ACTIVE, active.revision, sentence, subject=_subject(run))


def tests_after(draft: Draft, run: MigrationRun) -> Check | None:
    """The tests of the active version that a run was followed by; None: there are none."""
    checks = reversed(draft.aggregate.checks)
    return next((each for each in checks if each.subject == _subject(run)), None)


def _subject(run: MigrationRun) -> str:
    return f"migration {run.id}"
