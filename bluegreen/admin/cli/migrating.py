"""migrations status, plan, expand, backfill, contract, stop."""

from __future__ import annotations

import time
from typing import Any

from bluegreen.admin.cli.concluding import conclude, verdict_on
from bluegreen.admin.cli.connection import PLANNED_WITHIN, connected, origin, standing_of
from bluegreen.admin.cli.exit_code import ExitCode
from bluegreen.admin.cli.failure import Failure
from bluegreen.admin.cli.gates_view import findings_view
from bluegreen.admin.cli.goals import Goal
from bluegreen.admin.cli.migration_goal import migrated
from bluegreen.admin.cli.migration_plan_view import plan_view, would_be_refused
from bluegreen.admin.cli.migrations_view import migrations_view
from bluegreen.admin.cli.options import Caller, Patience
from bluegreen.admin.cli.output import printable, show, show_json
from bluegreen.admin.v1 import admin_pb2 as pb


def status(caller: Caller, service: str) -> ExitCode:
    with connected(caller) as connection:
        answer = connection.call("GetStatus", pb.GetStatusRequest(service=service, ledger=True))
    if caller.json:
        show_json(answer)
    else:
        show(migrations_view(answer, time.time()))
    return ExitCode.DONE


def plan(caller: Caller, service: str, version: str) -> ExitCode:
    request = pb.PlanMigrationsRequest(service=service, version=version)
    with connected(caller) as connection:
        answer = connection.call("PlanMigrations", request, within=PLANNED_WITHIN)
    refused = would_be_refused(answer)
    of = printable(f"{version} of {service}" if version else service)
    if caller.json:
        show_json(answer)
    elif answer.pending or refused or answer.findings:
        show(plan_view(answer))
    if refused:
        raise Failure(f"The migrations of {of} would be refused: {', '.join(refused)}.", ExitCode.REFUSED)
    if not caller.json:
        pending, applied = len(answer.pending), len(answer.applied)
        show(f"{pending or 'No'} file{'s' * (pending != 1)} of {of} to apply; {applied} applied.")
    return ExitCode.DONE


def migrate(caller: Caller, patience: Patience, request: dict[str, Any]) -> ExitCode:
    if request.get("accept_drift") and not caller.reason:
        raise Failure(
            "What other hands did to the schema is accepted for a reason: say it with --reason.",
            ExitCode.USAGE,
        )
    with connected(caller) as connection:
        seen = {} if request.get("version") else standing_of(connection, request["service"])
        asked = pb.MigrateRequest(origin=origin(caller), **seen, **request)
        answer = connection.call("Migrate", asked, within=PLANNED_WITHIN)
        goal = Goal(migrated, migration=answer.migration_run.id)
        verdict = verdict_on(connection, answer, goal, patience)
        if verdict.code is ExitCode.DONE and not caller.json:
            show(*findings_view(answer.migration_run.findings))
        return conclude(caller, answer, verdict)


def stop(caller: Caller, service: str) -> ExitCode:
    with connected(caller) as connection:
        request = pb.CommandRequest(origin=origin(caller), service=service)
        answer = connection.call("StopMigration", request)
    if caller.json:
        show_json(answer)
    else:
        show(printable(answer.message))
    return ExitCode.DONE
