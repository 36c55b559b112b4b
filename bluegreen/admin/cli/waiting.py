"""Waiting for what a command has started."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bluegreen.admin.cli.connection import Connection, Overdue
from bluegreen.admin.cli.exit_code import ExitCode
from bluegreen.admin.cli.goals import Goal, Verdict, find_check, find_run
from bluegreen.admin.cli.migration_bar import MigrationBar
from bluegreen.admin.cli.options import Patience
from bluegreen.admin.cli.output import printable, span, tell
from bluegreen.admin.cli.progress import Progress
from bluegreen.admin.cli.watching import follow
from bluegreen.admin.v1 import admin_pb2 as pb


@dataclass(frozen=True, slots=True)
class Seen:
    """A status as it came, and with what it no longer tells of."""

    status: pb.ServiceStatus
    whole: pb.ServiceStatus


@dataclass(slots=True)
class Waiting:
    """Tells what `begun` leads to, and ends with a verdict. `status`, and the `check` or `run` of migrations
    that is waited for, are what was seen last."""

    connection: Connection
    begun: pb.CommandResponse
    goal: Goal
    status: pb.ServiceStatus = field(init=False)
    check: pb.Check = field(init=False)
    run: pb.MigrationRun = field(init=False)
    _progress: Progress = field(default_factory=Progress)
    _bar: MigrationBar = field(default_factory=MigrationBar)

    def __post_init__(self) -> None:
        self.status, self.check = self.begun.status, self.begun.check
        self.run = self.begun.migration_run
        self._progress.news(self.status)  # what stands already is no news

    def until_over(self, patience: Patience) -> Verdict:
        """Raises Failure where the control plane is gone, or refuses."""
        service = self.status.service
        look = f"Look at it with bluegreen status {service} --watch"
        try:
            tell(printable(self.begun.message))
            looks = follow(self._watch, patience, answered=True)
            with self._bar:
                return next(verdict for seen in looks if (verdict := self._look(seen)) is not None)
        except Overdue:
            sentence = (
                f"Not done after {span(patience.timeout or 0)}: {self._stand()} The work goes on. {look}"
            )
            return Verdict(ExitCode.TIMED_OUT, sentence)
        except KeyboardInterrupt:
            return Verdict(ExitCode.INTERRUPTED, f"No longer waiting; the work goes on. {look}")

    def _watch(self, seconds: float) -> Iterator[Seen]:
        request = pb.GetStatusRequest(service=self.status.service)
        for status in self.connection.stream("WatchStatus", request, seconds):
            # The history is asked for here, where a control plane that goes away is waited for.
            yield Seen(status, status if self.goal.is_in(status) else self._with_history(status))

    def _look(self, seen: Seen) -> Verdict | None:
        self.status = seen.status
        self.check = find_check(seen.whole, self.goal.check) or self.check
        self.run = find_run(seen.whole, self.goal.migration) or self.run
        for sentence in self._progress.news(seen.status):
            tell(sentence)
        self._bar.show(seen.status)
        return self.goal.judge(seen.whole, self.goal)

    def _with_history(self, status: pb.ServiceStatus) -> pb.ServiceStatus:
        """The status as it would be if it still told of what is over."""
        history = self.connection.call("GetHistory", pb.GetHistoryRequest(service=status.service, limit=1000))
        whole = pb.ServiceStatus()
        whole.CopyFrom(status)
        known = {each.revision for each in status.deployments}
        whole.deployments.extend(each for each in history.deployments if each.revision not in known)
        asked = {each.id for each in status.checks}
        whole.checks.extend(each for each in history.checks if each.id not in asked)
        run = {each.id for each in status.migration_runs}
        whole.migration_runs.extend(each for each in history.migration_runs if each.id not in run)
        whole.rollout.CopyFrom(
            next((each for each in history.rollouts if each.id == self.goal.rollout), status.rollout)
        )
        return whole

    def _stand(self) -> str:
        return self.status.activity or "nothing was heard of it."
