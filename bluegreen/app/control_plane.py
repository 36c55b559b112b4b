"""The whole control plane, wired: the one place where parts meet."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import grpc
from prometheus_client import CollectorRegistry

from bluegreen.admin.servicer import AdminServicer
from bluegreen.admin.servicer import server_options as admin_options
from bluegreen.app.settings import Settings, processes_of
from bluegreen.gates.outside_checker import OutsideChecker
from bluegreen.migrations.postgres_migrator import PostgresMigrator
from bluegreen.model.catalogue import Catalogue
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.errors import InvalidInput, NotServing, Refused
from bluegreen.model.event import Origin
from bluegreen.provisioners.process.process_provisioner import ProcessProvisioner
from bluegreen.provisioners.provisioners import Provisioners
from bluegreen.rollout.clock import Clock, SystemClock
from bluegreen.rollout.controller import Controller
from bluegreen.rollout.outside import Outside
from bluegreen.switches.envoy.metrics.fleet_statistics import FleetStatistics
from bluegreen.switches.envoy.metrics.receiver import MetricsReceiver
from bluegreen.switches.envoy.switch import EnvoySwitch
from bluegreen.telemetry.figures import Figures
from bluegreen.telemetry.http import serve_http
from deployment_store import SqliteStore
from xds_server import Fleet, server_options

log = logging.getLogger(__name__)

STOP_GRACE = 1.0
"""Seconds that calls under way are given when the process is asked to stop."""

PRUNE_EVERY = 3600.0

MAXIMUM_ADMIN_CALLS = 1000


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """A running control plane, and where it listens (the ports that were bound, where 0 was asked for)."""

    controller: Controller
    fleet: Fleet
    xds: Endpoint
    admin: Endpoint
    http: Endpoint


@asynccontextmanager
async def control_plane(
    settings: Settings, catalogue: Catalogue | None = None
) -> AsyncIterator[ControlPlane]:
    """Run a control plane for as long as the context is open; `catalogue` is applied before it serves.

    The order matters: the state is loaded and published before the first port opens, so that no proxy is
    ever answered from an empty state. Raises InvalidInput where an address cannot be bound.
    """
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(SqliteStore.open(settings.database))
        newest = await store.events(None, limit=1)
        clock = SystemClock(not_before=newest[-1].at if newest else 0.0)
        statistics = FleetStatistics()
        switch = EnvoySwitch(statistics, clock.now)
        checker = await stack.enter_async_context(OutsideChecker.open())
        directory = processes_of(settings.database)
        processes = await stack.enter_async_context(ProcessProvisioner.open(directory))
        provisioner = await stack.enter_async_context(Provisioners.open(processes))
        migrator = await stack.enter_async_context(PostgresMigrator.open())
        controller = Controller(store, switch, clock, Outside(checker, provisioner, migrator))
        await controller.start()
        if catalogue is not None:
            await _apply(controller, catalogue, settings)
        _tell_of_strangers(processes, controller)
        registry = CollectorRegistry()
        figures = Figures(controller, registry)
        switch.server.start_serving()

        xds = grpc.aio.server(options=server_options())
        switch.server.add_to(xds)
        MetricsReceiver(statistics, switch.is_gateway, clock.now).add_to(xds)
        admin = grpc.aio.server(options=admin_options(), maximum_concurrent_rpcs=MAXIMUM_ADMIN_CALLS)
        AdminServicer(controller, store).add_to(admin)

        await stack.enter_async_context(
            working(controller.run(), figures.follow(), _prune(store, clock, settings.event_retention))
        )
        admin_address = await _listen(stack, admin, settings.admin, "--admin-listen")
        xds_address = await _listen(stack, xds, settings.xds, "--xds-listen")
        http_address = await _listen_http(
            stack, settings.http, registry, lambda: switch.server.ready and store.is_usable()
        )
        yield ControlPlane(controller, switch.server.fleet, xds_address, admin_address, http_address)


async def _apply(controller: Controller, catalogue: Catalogue, settings: Settings) -> None:
    """Apply the service file; where the state of things is against it, serve what is on record."""
    try:
        await controller.apply(catalogue, Origin("serve", f"service file {settings.service_file}"))
    except Refused as refused:
        log.error(
            "the service file %s is not applied: %s Apply it again once that is over.",
            settings.service_file,
            refused,
        )


def _tell_of_strangers(processes: ProcessProvisioner, controller: Controller) -> None:
    """Of processes that an older or another state had started, and nobody looks after now."""
    aggregates = map(controller.aggregate, controller.services())
    known = {(each.name, deployment.revision) for each in aggregates for deployment in each.deployments}
    for service, revision in sorted(processes.pools - known):
        log.warning(
            "processes of %s, revision %d, run on: this database does not know them, and nobody ends them",
            service,
            revision,
        )


async def _listen(stack: AsyncExitStack, server: grpc.aio.Server, address: Endpoint, flag: str) -> Endpoint:
    try:
        port = server.add_insecure_port(str(address))
    except RuntimeError as error:
        raise _cannot_listen(address, flag) from error
    if port == 0:
        raise _cannot_listen(address, flag)
    await server.start()
    stack.push_async_callback(server.stop, STOP_GRACE)
    return Endpoint(address.host, port)


async def _listen_http(
    stack: AsyncExitStack, address: Endpoint, registry: CollectorRegistry, is_ready: Callable[[], bool]
) -> Endpoint:
    try:
        port = await stack.enter_async_context(serve_http(address.host, address.port, registry, is_ready))
    except OSError as error:
        raise _cannot_listen(address, "--http-listen") from error
    return Endpoint(address.host, port)


def _cannot_listen(address: Endpoint, flag: str) -> InvalidInput:
    return InvalidInput(
        f"Cannot listen on {address}: another program has that port, or it is no address of this machine. "
        f"Stop that program, or give another address with {flag} HOST:PORT."
    )


async def _prune(store: SqliteStore, clock: Clock, retention: float) -> None:
    """Keep the events of the last `retention` seconds, so that the file does not grow for ever."""
    while True:
        try:
            gone = await store.prune_events(clock.now() - retention)
        except NotServing as error:
            log.warning("old events were not dropped: %s", error)
        else:
            log.info("%d events older than %.0f days were dropped", gone, retention / 86400)
        await asyncio.sleep(PRUNE_EVERY)


@asynccontextmanager
async def working(*work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run these until the context ends. One that fails ends the context, and with it the process."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in work]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
