"""A process of the demo application, seen from its parent."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from itertools import count

from bluegreen.app.demo.application import ApplicationOptions
from bluegreen.app.demo.processes import ChildProcess, ChildProcesses, Command

START_SECONDS = 20.0
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class ApplicationProcess:
    """A process that listens, and where."""

    options: ApplicationOptions
    host: str
    port: int
    child: ChildProcess

    @property
    def address(self) -> str:
        """HOST:PORT, as `bluegreen deploy --endpoint` takes it."""
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """http://HOST:PORT"""
        return f"http://{self.address}"

    async def stop(self) -> int:
        """SIGTERM, then what the application promises; SIGKILL when it takes longer. The exit status."""
        return await self.child.stop(self.options.lame_duck + self.options.grace + 1.0)


async def start_application(children: ChildProcesses, options: ApplicationOptions) -> ApplicationProcess:
    """Start one process and wait until it listens. Raises ChildFailed."""
    first_line: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def take(line: str) -> None:
        if not first_line.done():
            first_line.set_result(line)

    async def listening() -> str:
        return await first_line

    name = f"application-{options.environment or 'any'}-{options.version}-{next(_numbers)}"
    child = await children.start(Command(name, (sys.executable, *_arguments(options)), on_line=take))
    line = await child.expect(listening(), START_SECONDS)
    port = int(line.rpartition(":")[2])
    return ApplicationProcess(options, options.host, port, child)


def _arguments(options: ApplicationOptions) -> tuple[str, ...]:
    faults = options.faults
    return (
        "-m",
        "bluegreen.app.demo.application",
        f"--version={options.version}",
        f"--environment={options.environment}",
        f"--host={options.host}",
        f"--port={options.port}",
        f"--latency={options.latency}",
        f"--lame-duck={options.lame_duck}",
        f"--grace={options.grace}",
        f"--fail-every={faults.fail_every}",
        f"--slow={faults.slow * 1000}",
        f"--slow-after={faults.slow_after}",
        f"--database={options.database}",
        *(("--halves",) if options.halves else ()),
        *(("--fail-smoke",) if faults.fail_smoke else ()),
    )
