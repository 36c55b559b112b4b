"""The rpcs of the admin service that are about migrations."""

# ruff: noqa: N802

from __future__ import annotations

from bluegreen.admin import requests
from bluegreen.admin.answers import Answers, Context, origin_of
from bluegreen.admin.errors import telling_errors
from bluegreen.admin.migration_views import plan_view, run_view
from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.admin.v1 import admin_pb2_grpc
from bluegreen.rollout.operations import CommandResult, Operations


class MigrationServicer(admin_pb2_grpc.AdminServicer):
    """A part of the admin service: `AdminServicer` is the whole."""

    def __init__(self, operations: Operations, answers: Answers) -> None:
        self._operations, self._answers = operations, answers

    @telling_errors
    async def Migrate(self, request: pb.MigrateRequest, context: Context) -> pb.CommandResponse:
        command = requests.migrate_command(request)
        result = await self._operations.migrate(command, origin_of(request, context))
        return await self._with_run(command.service, result)

    @telling_errors
    async def StopMigration(self, request: pb.CommandRequest, context: Context) -> pb.CommandResponse:
        service = requests.name("service", request.service)
        result = await self._operations.stop_migration(service, origin_of(request, context))
        return await self._with_run(service, result)

    @telling_errors
    async def PlanMigrations(self, request: pb.PlanMigrationsRequest, context: Context) -> pb.MigrationPlan:
        service, version = (
            requests.name("service", request.service),
            requests.version_or_none(request.version),
        )
        return plan_view(await self._operations.plan_migrations(service, version))

    async def _with_run(self, service: str, result: CommandResult) -> pb.CommandResponse:
        answer = await self._answers.to(service, result)
        runs = self._operations.aggregate(service).migration_runs
        about = next((run for run in runs if run.id == result.migration), None)
        if about is not None:
            answer.migration_run.CopyFrom(run_view(about))
        return answer
