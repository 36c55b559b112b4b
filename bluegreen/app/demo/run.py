"""Runs the demo and judges it."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path

import grpc
from rich.console import Console

from bluegreen.admin.v1.admin_pb2_grpc import AdminStub
from bluegreen.app.demo.envoy_process import EnvoyNotFound
from bluegreen.app.demo.figures import DemoFigures
from bluegreen.app.demo.load_report import LoadReport
from bluegreen.app.demo.operations import Operations
from bluegreen.app.demo.postgres import PostgresFailed, PostgresNotFound, postgres_server
from bluegreen.app.demo.processes import ChildFailed, ChildProcesses
from bluegreen.app.demo.scenario import Scenario
from bluegreen.app.demo.service_file import LOOPBACK
from bluegreen.app.demo.service_watch import DemoFailed, ServiceWatch
from bluegreen.app.demo.stage import DATABASE, SERVICE, Stage
from bluegreen.app.demo.view import DemoView
from bluegreen.model.errors import Refused

INTERRUPTED = 130
"""The exit code of a process that Ctrl-C ended, by the shell's convention."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """`plain` prints line by line on a terminal too. `directory` keeps logs, database and service file;
    None: a temporary one."""

    plain: bool = False
    directory: Path | None = None


def run(options: DemoOptions | None = None) -> int:
    """Play the demo; 0 only if all that it promises was so: see `DemoFigures.complaints`. Every child process
    is gone when this returns. Raises Refused for a directory that was used before."""
    options = options or DemoOptions()
    console = Console(force_terminal=False if options.plain else None)
    with tempfile.TemporaryDirectory(prefix="bluegreen-demo-") as temporary:
        directory = options.directory or Path(temporary)
        directory.mkdir(parents=True, exist_ok=True)
        if (directory / DATABASE).exists():
            raise Refused(f"{directory} has the database of another run.", "Name another directory.")
        try:
            with postgres_server(directory / "postgres.log") as postgres:
                return asyncio.run(_play(console, directory, postgres.url()))
        except (PostgresNotFound, PostgresFailed) as failure:
            console.print(f"The demo failed. {failure}", style="bold red", markup=False)
            return 1


async def _play(console: Console, directory: Path, people: str) -> int:
    view, figures, children = DemoView(console), DemoFigures(), ChildProcesses(directory)
    stage = Stage(children, directory, people)
    try:
        with view.shown():
            load = await _interruptible(_release(stage, children, view, figures))
    except asyncio.CancelledError:
        console.print("Interrupted; all processes of the demo have been stopped.")
        return INTERRUPTED
    except (DemoFailed, ChildFailed, EnvoyNotFound) as failure:
        console.print(f"The demo failed. {failure}", style="bold red", markup=False)
        return 1
    except grpc.aio.AioRpcError as error:
        console.print(f"The demo failed. {error.details()}", style="bold red", markup=False)
        return 1
    for table in figures.tables(load):
        console.print(table)
    for example in load.examples:
        console.print(f"failed: {example}", style="red", markup=False)
    complaints = figures.complaints(load)
    for complaint in complaints:
        console.print(complaint, style="bold red", markup=False)
    return 1 if complaints else 0


async def _release(
    stage: Stage, children: ChildProcesses, view: DemoView, figures: DemoFigures
) -> LoadReport:
    # The processes that the control plane runs come last: as long as it does, it would start them again.
    address = f"{LOOPBACK}:{stage.ports.admin}"
    async with stage.instances.reaped(), children, grpc.aio.insecure_channel(address) as channel:
        admin = AdminStub(channel)  # type: ignore[no-untyped-call]  # generated code
        watch = ServiceWatch(admin, SERVICE, view.status_changed)
        operations = Operations(stage, admin, watch, view, figures)
        return await Scenario(operations, children).play()


async def _interruptible(story: Coroutine[None, None, LoadReport]) -> LoadReport:
    """Run to the end, or until SIGINT or SIGTERM cancels it, which stops all child processes on the way."""
    task = asyncio.ensure_future(story)
    loop = asyncio.get_running_loop()
    for signal_ in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(signal_, task.cancel)
    return await task
