"""What the demo plays on: a control plane and two real Envoys."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bluegreen.app.demo.envoy_process import EnvoyOptions, EnvoyProcess
from bluegreen.app.demo.instances import Instances
from bluegreen.app.demo.ports import free_port
from bluegreen.app.demo.processes import ChildProcess, ChildProcesses, Command
from bluegreen.app.demo.releases import write_releases
from bluegreen.app.demo.service_file import LOOPBACK, Places, service_file
from bluegreen.model.endpoint import Endpoint
from bluegreen.switches.envoy.bootstrap import BootstrapOptions, bootstrap

SERVICE = "shop"
DATABASE = "bluegreen.db"
GATEWAYS = ("edge", "sidecar")


@dataclass(frozen=True, slots=True)
class Ports:
    """All on the loopback interface."""

    xds: int
    admin: int
    http: int
    production: Mapping[str, int]  # by gateway
    preview: Mapping[str, int]

    @classmethod
    def free(cls) -> Ports:
        return cls(
            xds=free_port(),
            admin=free_port(),
            http=free_port(),
            production={gateway: free_port() for gateway in GATEWAYS},
            preview={gateway: free_port() for gateway in GATEWAYS},
        )


class Stage:
    """Starts and stops the parts; which of them, and when, is the story's to say."""

    def __init__(self, children: ChildProcesses, directory: Path, people: str) -> None:
        self.people = people  # the URL of their database
        self.ports = Ports.free()
        self.proxies: list[EnvoyProcess] = []
        self._children = children
        self._directory = directory
        self._database = directory / DATABASE
        self.instances = Instances.of(self._database)

    def write_service_file(self) -> str:
        """Put the service file beside the database, and what it names; its text."""
        migrations = write_releases(self._directory / "releases")
        ports = self.ports
        places = Places(ports.production, ports.preview, self.people, migrations, os.getpid())
        text = service_file(SERVICE, places)
        (self._directory / "services.yaml").write_text(text, encoding="utf-8")
        return text

    async def start_control_plane(self) -> ChildProcess:
        """`bluegreen serve`, as a process of its own."""
        arguments = (
            *(sys.executable, "-m", "bluegreen", "serve"),
            f"--database={self._database}",
            f"--xds-listen={LOOPBACK}:{self.ports.xds}",
            f"--admin-listen={LOOPBACK}:{self.ports.admin}",
            f"--http-listen={LOOPBACK}:{self.ports.http}",
        )
        return await self._children.start(Command("control-plane", arguments))

    async def start_proxies(self) -> None:
        """One Envoy for each gateway, with the bootstrap that `bluegreen bootstrap` prints."""
        for gateway in GATEWAYS:
            options = BootstrapOptions(
                gateway=gateway,
                node_id=f"{gateway}-1",
                control_plane=Endpoint(LOOPBACK, self.ports.xds),
                admin=Endpoint(LOOPBACK, free_port()),
            )
            self.proxies.append(
                await EnvoyProcess.start(self._children, bootstrap(options), EnvoyOptions(name=gateway))
            )

    async def proxies_ready(self) -> None:
        await asyncio.gather(*(proxy.ready() for proxy in self.proxies))
