"""A whole world for one test: a control plane, real Envoys of two gateways, and the admin API."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import yaml

from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.admin.v1.admin_pb2_grpc import AdminStub
from bluegreen.app.demo.envoy_process import EnvoyOptions, EnvoyProcess
from bluegreen.app.demo.ports import free_port
from bluegreen.app.demo.processes import ChildProcess, ChildProcesses, Command
from bluegreen.model.endpoint import Endpoint
from bluegreen.switches.envoy.bootstrap import BootstrapOptions, XdsProtocol, bootstrap
from tests.support.cable import Cable

LOOPBACK = "127.0.0.1"
GATEWAYS = ("edge", "sidecar")
SHOP = "shop"
ORIGIN = pb.Origin(actor="test", reason="test")


@dataclass(frozen=True, slots=True)
class WorldPorts:
    xds: int = field(default_factory=free_port)
    admin: int = field(default_factory=free_port)
    http: int = field(default_factory=free_port)
    production: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in GATEWAYS})
    preview: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in GATEWAYS})


class World:
    """Each part is started, killed and started again as the test wants. Ports stay the same."""

    def __init__(self, children: ChildProcesses, directory: Path) -> None:
        self.ports = WorldPorts()
        self.proxies: dict[str, EnvoyProcess] = {}
        self.cables: dict[str, Cable] = {}
        self.flush_interval = 0.25  # seconds; quick, so that tests need not wait
        self._children = children
        self._directory = directory
        self._channel = grpc.aio.insecure_channel(
            f"{LOOPBACK}:{self.ports.admin}",
            options=[("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 200)],
        )
        self.admin = AdminStub(self._channel)

    async def close(self) -> None:
        await self._channel.close()
        for cable in self.cables.values():
            await cable.cut()

    # --- parts ---

    async def start_control_plane(self) -> ChildProcess:
        """`bluegreen serve`, ready to be asked."""
        arguments = (
            *(sys.executable, "-m", "bluegreen", "serve"),
            f"--database={self._directory / 'bluegreen.db'}",
            f"--xds-listen={LOOPBACK}:{self.ports.xds}",
            f"--admin-listen={LOOPBACK}:{self.ports.admin}",
            f"--http-listen={LOOPBACK}:{self.ports.http}",
        )
        child = await self._children.start(Command("control-plane", arguments))
        await child.expect(self._answers(), 20)
        return child

    async def _answers(self) -> None:
        while True:
            try:
                await self.admin.ListServices(pb.ListServicesRequest(), wait_for_ready=True)
            except grpc.aio.AioRpcError as error:
                # The connection to the process before may be noticed as gone only now.
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
            else:
                return

    @property
    def _xds(self) -> Endpoint:
        return Endpoint(LOOPBACK, self.ports.xds)

    async def lay_cable(self, gateway: str) -> Cable:
        """Lead the Envoy of a gateway, not started yet, to the control plane by a cable that can fail."""
        cable = self.cables[gateway] = Cable(self._xds)
        await cable.mend()
        return cable

    async def start_proxy(self, gateway: str, protocol: XdsProtocol = XdsProtocol.SOTW) -> EnvoyProcess:
        """An Envoy of a gateway; ready to be waited for."""
        options = BootstrapOptions(
            gateway=gateway,
            node_id=f"{gateway}-1",
            control_plane=self.cables[gateway].address if gateway in self.cables else self._xds,
            protocol=protocol,
            admin=Endpoint(LOOPBACK, free_port()),
            flush_interval=self.flush_interval,
        )
        proxy = await EnvoyProcess.start(self._children, bootstrap(options), EnvoyOptions(name=gateway))
        self.proxies[gateway] = proxy
        return proxy

    async def start(self, *, protocol: XdsProtocol = XdsProtocol.SOTW, **service: Any) -> ChildProcess:
        """The control plane with the service, and one ready Envoy of each gateway."""
        child = await self.start_control_plane()
        await self.apply(self.described(**service))
        for gateway in GATEWAYS:
            await self.start_proxy(gateway, protocol)
        await asyncio.gather(*(proxy.ready() for proxy in self.proxies.values()))
        return child

    # --- the operator ---

    def described(
        self,
        *,
        others: Mapping[str, Mapping[str, object]] | None = None,
        gateway: Mapping[str, object] | None = None,
        **service: Any,
    ) -> dict[str, dict[str, Any]]:
        """The service file: the shop with these settings, and other services on the same gateways."""
        return {
            "gateways": {
                name: {
                    "listen": f"{LOOPBACK}:{self.ports.production[name]}",
                    "preview": f"{LOOPBACK}:{self.ports.preview[name]}",
                    **(gateway or {}),
                }
                for name in GATEWAYS
            },
            "services": {
                SHOP: {
                    "gateways": list(GATEWAYS),
                    "domains": ["*"],
                    "drain": {"grace": "200ms", "deadline": "60s"},
                    **service,
                },
                **{name: {"gateways": list(GATEWAYS), **each} for name, each in (others or {}).items()},
            },
        }

    async def apply(self, described: Mapping[str, object], *, prune: bool = False) -> None:
        """Apply a service file."""
        document = yaml.safe_dump(described)
        answer = await self.admin.Apply(pb.ApplyRequest(origin=ORIGIN, document=document, prune=prune))
        assert not answer.problems, answer.problems

    async def deploy(self, version: str, addresses: Sequence[str], *, replace_standby: bool = False) -> int:
        """Deploy and wait until it is ready; the revision."""
        answer = await self.admin.Deploy(
            pb.DeployRequest(
                origin=ORIGIN,
                service=SHOP,
                version=version,
                endpoints=addresses,
                replace_standby=replace_standby,
            )
        )
        revision: int = answer.deployment_revision
        await self.until(revision, "ready")
        return revision

    async def promote(self, *, full: bool = False) -> int:
        answer = await self.admin.Promote(pb.PromoteRequest(origin=ORIGIN, service=SHOP, full=full))
        rollout: int = answer.rollout_id
        return rollout

    async def rollback(self, *, force: bool = False) -> int:
        answer = await self.admin.Rollback(pb.CommandRequest(origin=ORIGIN, service=SHOP, force=force))
        rollout: int = answer.rollout_id
        return rollout

    async def release(self, version: str, addresses: Sequence[str]) -> int:
        """Deploy, promote and wait until it is active; the revision."""
        revision = await self.deploy(version, addresses)
        await self.promote(full=True)
        await self.until(revision, "active")
        return revision

    # --- what is so ---

    async def status(self) -> pb.ServiceStatus:
        return await self.admin.GetStatus(pb.GetStatusRequest(service=SHOP))

    async def until(
        self, revision: int, *statuses: str, timeout: float = 30.0, service: str = SHOP
    ) -> pb.ServiceStatus:
        """Wait until a revision has one of these statuses."""

        def holds(status: pb.ServiceStatus) -> bool:
            return any(d.revision == revision and d.status in statuses for d in status.deployments)

        return await self.when(holds, timeout, service)

    async def happens(self, what: str, after: int = 0, timeout: float = 30.0) -> pb.Event:
        """The first event of a kind with an id greater than `after`."""
        follow = pb.ListEventsRequest(service=SHOP, follow=True, limit=1000, after=after)
        following = self.admin.ListEvents(follow, wait_for_ready=True)
        try:
            async with asyncio.timeout(timeout):
                async for event in following:
                    if event.what == what:
                        return event
        finally:
            following.cancel()
        raise AssertionError(f"the events ended before {what}")

    async def events(self) -> list[pb.Event]:
        """All that has happened to the shop."""
        return [each async for each in self.admin.ListEvents(pb.ListEventsRequest(service=SHOP, limit=1000))]

    async def finished(self, rollout: int, timeout: float = 30.0) -> pb.ServiceStatus:
        """Wait until a rollout is over."""
        return await self.when(lambda s: s.rollout.id == rollout and s.rollout.finished_at > 0, timeout)

    async def when(
        self, holds: Callable[[pb.ServiceStatus], bool], timeout: float = 30.0, service: str = SHOP
    ) -> pb.ServiceStatus:
        """The first status for which `holds`."""
        last = "no status came"
        watching = self.admin.WatchStatus(pb.GetStatusRequest(service=service), wait_for_ready=True)
        try:
            async with asyncio.timeout(timeout):
                async for status in watching:
                    if holds(status):
                        return status
                    last = f"{status.activity} {[(d.revision, d.status) for d in status.deployments]}"
        except TimeoutError:
            raise AssertionError(f"not within {timeout} s: {last}") from None
        finally:
            # A call that is only dropped goes on until the garbage collector finds it.
            watching.cancel()
        raise AssertionError(f"the watch ended: {last}")

    def entry(self, gateway: str) -> str:
        return f"http://{LOOPBACK}:{self.ports.production[gateway]}"

    def entries(self) -> list[str]:
        return [self.entry(gateway) for gateway in GATEWAYS]
