"""How a verb that starts something ends: with what it has waited for, or with what was decided."""

from __future__ import annotations

from bluegreen.admin.cli.connection import Connection
from bluegreen.admin.cli.exit_code import ExitCode
from bluegreen.admin.cli.failure import Failure
from bluegreen.admin.cli.gates_view import findings_view
from bluegreen.admin.cli.goals import Goal, Verdict
from bluegreen.admin.cli.options import Caller, Patience
from bluegreen.admin.cli.output import printable, show, show_json
from bluegreen.admin.cli.waiting import Waiting
from bluegreen.admin.v1 import admin_pb2 as pb


def verdict_on(connection: Connection, answer: pb.CommandResponse, goal: Goal, patience: Patience) -> Verdict:
    """Wait, if that is wanted and there is something to wait for; `answer` ends with the status, and with the
    check or the run that is waited for, as they were seen last."""
    decided = Verdict(ExitCode.DONE, printable(answer.message))
    if not patience.wait or not goal:
        return decided
    waiting = Waiting(connection, answer, goal)
    verdict = waiting.until_over(patience)
    answer.status.CopyFrom(waiting.status)
    if goal.check:
        answer.check.CopyFrom(waiting.check)
    if goal.migration:
        answer.migration_run.CopyFrom(waiting.run)
    return verdict


def conclude(caller: Caller, answer: pb.CommandResponse, verdict: Verdict) -> ExitCode:
    if caller.json:
        show_json(answer)
    if verdict.code is not ExitCode.DONE:
        show(*findings_view(verdict.findings), err=True)
        raise Failure(printable(verdict.sentence), verdict.code)
    if not caller.json:
        show(printable(verdict.sentence))
    return verdict.code
