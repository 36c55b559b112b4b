"""deploy, test, promote, approve, pause, resume, abort, rollback, retry, retire, scale."""

from __future__ import annotations

from typing import Any

from bluegreen.admin.cli.concluding import conclude, verdict_on
from bluegreen.admin.cli.connection import PLANNED_WITHIN, connected, origin, standing_of
from bluegreen.admin.cli.exit_code import ExitCode
from bluegreen.admin.cli.gates_view import findings_view
from bluegreen.admin.cli.goals import (
    OVER,
    Goal,
    moved,
    provided,
    ready,
    released,
    returned,
    scaled,
    tested,
)
from bluegreen.admin.cli.options import Caller, Patience
from bluegreen.admin.cli.output import show
from bluegreen.admin.v1 import admin_pb2 as pb

Request = dict[str, Any]
"""Of an rpc: its fields, as the verb's arguments and options name them."""


def deploy(caller: Caller, patience: Patience, request: Request) -> ExitCode:
    with connected(caller) as connection:
        asked = pb.DeployRequest(origin=origin(caller), **request)
        answer = connection.call("Deploy", asked, within=PLANNED_WITHIN)
        goal = Goal(ready, deployment=answer.deployment_revision)
        return conclude(caller, answer, verdict_on(connection, answer, goal, patience))


def test(caller: Caller, patience: Patience, request: Request) -> ExitCode:
    with connected(caller) as connection:
        answer = connection.call("Test", pb.TestRequest(origin=origin(caller), **request))
        verdict = verdict_on(connection, answer, Goal(tested, check=answer.check.id), patience)
        if patience.wait and not caller.json:
            show(*findings_view(answer.check.findings))
        return conclude(caller, answer, verdict)


def promote(caller: Caller, patience: Patience, request: Request) -> ExitCode:
    with connected(caller) as connection:
        seen = standing_of(connection, request["service"])
        answer = connection.call("Promote", pb.PromoteRequest(origin=origin(caller), **seen, **request))
        goal = Goal(moved, rollout=_rollout(answer))
        return conclude(caller, answer, verdict_on(connection, answer, goal, patience))


def approve(caller: Caller, request: Request) -> ExitCode:
    return _command(caller, Patience(wait=False), "Approve", request)


def pause(caller: Caller, request: Request) -> ExitCode:
    return _command(caller, Patience(wait=False), "Pause", request)


def resume(caller: Caller, patience: Patience, request: Request) -> ExitCode:
    return _command(caller, patience, "Resume", request)


def abort(caller: Caller, patience: Patience, request: Request) -> ExitCode:
    return _command(caller, patience, "Abort", request)


def rollback(caller: Caller, patience: Patience, request: Request) -> ExitCode:
    return _command(caller, patience, "Rollback", request)


def retry(caller: Caller, patience: Patience, request: Request) -> ExitCode:
    with connected(caller) as connection:
        answer = connection.call("Retry", pb.CommandRequest(origin=origin(caller), **request))
        deployed = Goal(ready, deployment=answer.deployment_revision)
        goal = Goal(moved, rollout=answer.rollout_id) if answer.rollout_id else deployed
        return conclude(caller, answer, verdict_on(connection, answer, goal, patience))


def retire(caller: Caller, patience: Patience, request: Request) -> ExitCode:
    with connected(caller) as connection:
        seen = standing_of(connection, request["service"])
        answer = connection.call("Retire", pb.RetireRequest(origin=origin(caller), **seen, **request))
        newest = max((each.revision for each in answer.status.deployments if not each.released), default=0)
        return conclude(
            caller, answer, verdict_on(connection, answer, Goal(released, deployment=newest), patience)
        )


def scale(caller: Caller, patience: Patience, request: Request) -> ExitCode:
    with connected(caller) as connection:
        answer = connection.call("Scale", pb.ScaleRequest(origin=origin(caller), **request))
        pools = [each for each in answer.status.deployments if each.status not in OVER and provided(each)]
        newest = max((each.revision for each in pools), default=0)
        return conclude(
            caller, answer, verdict_on(connection, answer, Goal(scaled, deployment=newest), patience)
        )


_JUDGES = {"Approve": moved, "Pause": moved, "Resume": moved, "Abort": returned, "Rollback": returned}


def _command(caller: Caller, patience: Patience, rpc: str, request: Request) -> ExitCode:
    with connected(caller) as connection:
        seen = standing_of(connection, request["service"])
        answer = connection.call(rpc, pb.CommandRequest(origin=origin(caller), **seen, **request))
        goal = Goal(_JUDGES[rpc], rollout=_rollout(answer))
        return conclude(caller, answer, verdict_on(connection, answer, goal, patience))


def _rollout(answer: pb.CommandResponse) -> int:
    """The rollout to watch: the one that the command changed, or the open one that it found as wanted."""
    rollout = answer.status.rollout
    return answer.rollout_id or (0 if rollout.finished_at else rollout.id)
