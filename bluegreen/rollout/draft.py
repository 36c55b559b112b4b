"""A change of one service under construction: what is decided, and the events that tell of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.check import Check, CheckKind
from bluegreen.model.deployment import Deployment, Status
from bluegreen.model.errors import Refused
from bluegreen.model.event import Event, Origin, What
from bluegreen.model.migration import MigrationProgress
from bluegreen.model.migration_run import MigrationRun
from bluegreen.model.rollout import Outcome, Rollout
from bluegreen.model.traffic_report import TrafficReport
from bluegreen.model.traffic_rule import TOTAL_WEIGHT, TrafficRule
from bluegreen.model.verdict import Finding, Verdict
from bluegreen.rollout.wanted_traffic import describe_weights, traffic_version, wanted_traffic
from deployment_store.state_machine import next_status


@dataclass(frozen=True, slots=True)
class Change:
    """A decision, ready to be recorded: the new aggregate, its events, and the sentence that says it."""

    aggregate: ServiceAggregate
    events: tuple[Event, ...]
    sentence: str


Decide = Callable[["Draft"], str]
"""A command: changes the draft and returns the sentence that says it, or raises Refused."""


class Draft:
    """Collects what one decision changes, so that state and events cannot come apart."""

    def __init__(
        self,
        aggregate: ServiceAggregate,
        now: float,
        origin: Origin,
        report: TrafficReport | Callable[[], TrafficReport] = TrafficReport,
        progress: MigrationProgress | None = None,
    ) -> None:
        """`report`: the facts of this moment, for what an operator shall not do against them, or how to come
        by them: to look at thousands of proxies takes its time, and most commands ask nothing of them.
        `progress`: how far the open run of migrations is, to be told of."""
        self.aggregate = self._before = aggregate
        self.now = now
        self._report = report
        self.progress = progress
        self._origin = origin
        self._events: list[Event] = []

    def change(self, sentence: str) -> Change:
        """What was drafted, each event with the traffic around it and the version of what is wanted now."""
        before, after = describe_weights(self._before), describe_weights(self.aggregate)
        snapshot = traffic_version(wanted_traffic(self.aggregate)) if self._events else ""
        events = tuple(
            replace(event, traffic_before=before, traffic_after=after, snapshot=snapshot)
            for event in self._events
        )
        return Change(self.aggregate, events, sentence)

    @cached_property
    def report(self) -> TrafficReport:
        return self._report if isinstance(self._report, TrafficReport) else self._report()

    @property
    def asked_by(self) -> str:
        """Who asks, with the reason where one was given."""
        return f"{self._origin.actor} ({self._origin.reason})" if self._origin.reason else self._origin.actor

    @property
    def reason(self) -> str:
        """The reason that was given; empty: none."""
        return self._origin.reason

    @property
    def rollout(self) -> Rollout:
        """The open rollout. Only for decisions that are about one."""
        rollout = self.aggregate.open_rollout
        if rollout is None:
            raise Refused(f"{self.aggregate.name} has no open rollout.")
        return rollout

    def add(self, deployment: Deployment, message: str) -> None:
        """Begin a deployment."""
        self.aggregate = self.aggregate.with_deployment(deployment)
        self.record(What.DEPLOYED, message, after=deployment.status, deployment=deployment.revision)

    def transition(self, revision: int, what: What, message: str, **changes: Any) -> None:
        """Move a deployment on in the state machine, and set other fields of it with that."""
        deployment = self.aggregate.deployment(revision)
        following = next_status(deployment.status, what)
        changes = {"status": following, "status_since": self.now, "deadline_at": None, "note": "", **changes}
        if deployment.status is Status.EXPANDING and not following.is_open:
            # No proxy was told of it, and no instance was had.
            changes |= {"withdrawn_at": self.now, "stopped_at": self.now}
        self.aggregate = self.aggregate.with_deployment(replace(deployment, **changes))
        self.record(what, message, before=deployment.status, after=following, deployment=revision)
        if not following.is_open:
            self.give_up(lambda check: check.deployment == revision and check.is_ahead)
            self._end_run_of(revision)

    def note(self, revision: int, what: What, message: str, **changes: Any) -> None:
        """Set fields of a deployment that leave its status as it is."""
        deployment = self.aggregate.deployment(revision)
        self.aggregate = self.aggregate.with_deployment(replace(deployment, **changes))
        self.record(what, message, deployment=revision)

    def replace(self, deployment: Deployment) -> None:
        """Put a deployment in the place of the one with its revision; the caller tells of it."""
        self.aggregate = self.aggregate.with_deployment(deployment)

    def put_off(self, revision: int, deadline: float | None) -> None:
        """Give a deployment's present status another deadline (seconds since the epoch; None: no end)."""
        deployment = self.aggregate.deployment(revision)
        self.aggregate = self.aggregate.with_deployment(replace(deployment, deadline_at=deadline))

    def open(self, rollout: Rollout) -> None:
        self.aggregate = replace(self.aggregate, rollout=rollout, last_rollout_id=rollout.id)

    def amend(self, **changes: Any) -> None:
        """Set fields of the open rollout."""
        self.aggregate = replace(self.aggregate, rollout=replace(self.rollout, **changes))

    def set_percent(self, percent: int, message: str, **changes: Any) -> None:
        """Give the candidate of the open rollout this percent of the traffic; not yet acknowledged."""
        before = self.rollout.percent
        self.amend(percent=percent, set_at=self.now, watched_since=self.now, acknowledged_at=None, **changes)
        rollout, rule = self.rollout, self.aggregate.traffic
        if rollout.previous is None:
            environment = self.aggregate.deployment(rollout.candidate).environment if percent else None
            rule = replace(rule, active_environment=environment, cutover_percent=0)
        else:
            rule = replace(rule, cutover_percent=percent)
        self.aggregate = replace(self.aggregate, traffic=rule)
        self.record(What.WEIGHT_SET, message, before=str(before), after=str(percent))

    def give_to_nobody(self) -> None:
        """Take the production traffic away: no environment has it from now on."""
        self.aggregate = replace(self.aggregate, traffic=TrafficRule(self.aggregate.name))

    def close(self, outcome: Outcome, message: str) -> None:
        """End the open rollout. Completed: the candidate's environment is the active one from now on, which
        leaves every weight as it is."""
        rollout = self.rollout
        if outcome is Outcome.COMPLETED and rollout.percent == TOTAL_WEIGHT:
            environment = self.aggregate.deployment(rollout.candidate).environment
            rule = replace(self.aggregate.traffic, active_environment=environment, cutover_percent=0)
            self.aggregate = replace(self.aggregate, traffic=rule)
        self.record(What.ROLLOUT_FINISHED, message, after=outcome)
        self.amend(outcome=outcome, finished_at=self.now)

    def want(self, kind: CheckKind, deployment: int, message: str, *, subject: str = "") -> Check:
        """Have a gate asked; within an open rollout it belongs to its present step. No message: no event."""
        rollout = self.aggregate.open_rollout
        check = Check(
            id=self.aggregate.last_check_id + 1,
            service=self.aggregate.name,
            kind=kind,
            deployment=deployment,
            wanted_at=self.now,
            subject=subject,
            rollout=rollout.id if rollout is not None else None,
            step=rollout.step if rollout is not None else None,
        )
        self.aggregate = self.aggregate.with_check(check)
        if message:
            self.record(What.CHECK_WANTED, message, deployment=deployment)
        return check

    def conclude(
        self, check: Check, verdict: Verdict, summary: str, findings: tuple[Finding, ...] = ()
    ) -> None:
        """Record what a gate said, with what it was said on."""
        said = replace(check, verdict=verdict, finished_at=self.now, summary=summary, findings=findings)
        self.aggregate = self.aggregate.with_check(said)
        what = What.APPROVED if check.kind is CheckKind.APPROVAL else What.CHECKED
        self.record(what, f"{summary}.", after=verdict, deployment=check.deployment)

    def record_run(self, run: MigrationRun, what: What, message: str) -> None:
        """Put a run of migrations in the place of the one with its id, or add it where it is new."""
        self.aggregate = self.aggregate.with_migration_run(run)
        self.record(what, message, after=run.verdict or "", deployment=run.deployment)

    def _end_run_of(self, revision: int) -> None:
        run = self.aggregate.open_run
        if run is not None and run.deployment == revision:
            summary = "ended with the deployment"
            over = replace(run, verdict=Verdict.INCONCLUSIVE, finished_at=self.now, summary=summary)
            message = f"The {run.phase} of {run.version} (migration {run.id}) {summary}."
            self.record_run(over, What.MIGRATED, message)

    def give_up(self, which: Callable[[Check], bool]) -> None:
        """Nobody waits for these any more."""
        for check in self.aggregate.checks:
            if check.is_open and which(check):
                self.conclude(check, Verdict.INCONCLUSIVE, f"The {describe(check)} are not waited for")

    def record(
        self, what: What, message: str, *, before: str = "", after: str = "", deployment: int | None = None
    ) -> None:
        """Append an event; within an open rollout it carries the rollout's id and candidate."""
        rollout = self.aggregate.open_rollout
        if deployment is None and rollout is not None:
            deployment = rollout.candidate
        self._events.append(
            Event(
                at=self.now,
                service=self.aggregate.name,
                what=what,
                origin=self._origin,
                message=message,
                before=before,
                after=after,
                deployment=deployment,
                rollout=rollout.id if rollout is not None else None,
            )
        )


def describe(check: Check) -> str:
    """What is asked, as a noun."""
    match check.kind:
        case CheckKind.TESTS:
            return "tests"
        case CheckKind.TESTS_OF_ACTIVE:
            return "tests of the active version"
        case CheckKind.HOOKS:
            return f"hooks {check.subject}"
        case _:
            return str(check.kind)
