"""The admin service over real gRPC on the loopback interface, and the real command against it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest

from bluegreen.admin.servicer import AdminServicer, Pace, server_options
from bluegreen.admin.v1.admin_pb2_grpc import AdminStub
from bluegreen.rollout.operations import Operations
from deployment_store import SqliteStore
from tests.admin.puppet_operations import PuppetOperations
from tests.deployment_store.samples import add_catalogue

LONG = 20.0
"""Seconds after which a test has failed."""


@dataclass
class AdminServer:
    """Can go away and come back to the same port."""

    operations: Operations
    store: SqliteStore
    address: str = "127.0.0.1:0"
    pace: Pace = field(default_factory=lambda: Pace(change=0.02, heartbeat=0.3))
    _running: grpc.aio.Server | None = None

    async def start(self) -> None:
        self._running = grpc.aio.server(options=server_options())
        servicer = AdminServicer(self.operations, self.store, self.pace)
        servicer.add_to(self._running)
        self.address = f"127.0.0.1:{self._running.add_insecure_port(self.address)}"
        await self._running.start()

    async def stop(self) -> None:
        if self._running is not None:
            await self._running.stop(None)


@dataclass
class Ended:
    """How the command ended."""

    code: int
    out: str
    err: str


@dataclass
class Running:
    """The command while it runs. `seen` is what it has said on standard error."""

    process: asyncio.subprocess.Process
    seen: list[str] = field(default_factory=list)

    async def says(self, words: str) -> None:
        """Read standard error until a line has these words."""
        assert self.process.stderr is not None
        async with asyncio.timeout(LONG):
            while not self.seen or words not in self.seen[-1]:
                line = await self.process.stderr.readline()
                assert line, f"ended without saying {words!r}, but {self.seen}"
                self.seen.append(line.decode())

    async def prints(self, words: str) -> str:
        """Read standard output until a line has these words; return it."""
        assert self.process.stdout is not None
        async with asyncio.timeout(LONG):
            while line := (await self.process.stdout.readline()).decode():
                if words in line:
                    return line
        raise AssertionError(f"ended without printing {words!r}")

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    async def ends(self) -> Ended:
        async with asyncio.timeout(LONG):
            out, err = await self.process.communicate()
        assert self.process.returncode is not None
        return Ended(self.process.returncode, out.decode(), "".join(self.seen) + err.decode())


@asynccontextmanager
async def serving(server: AdminServer) -> AsyncIterator[AdminServer]:
    await server.start()
    yield server
    await server.stop()


Start = Callable[..., Awaitable[Running]]
Run = Callable[..., Awaitable[Ended]]


@pytest.fixture
async def operations() -> PuppetOperations:
    return PuppetOperations()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    async with SqliteStore.open(tmp_path / "bluegreen.db") as opened:
        await add_catalogue(opened)
        yield opened


@pytest.fixture
async def server(operations: PuppetOperations, store: SqliteStore) -> AsyncIterator[AdminServer]:
    async with serving(AdminServer(operations, store)) as admin_server:
        yield admin_server


@pytest.fixture
async def admin(server: AdminServer) -> AsyncIterator[AdminStub]:
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield AdminStub(channel)  # type: ignore[no-untyped-call]  # generated


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """`await start("status", "shop", admin=server.address)`: the command as a process."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a shell's background: handed down otherwise
        signal.signal(signal.SIGINT, signal.default_int_handler)
    started: list[asyncio.subprocess.Process] = []

    async def begin(*arguments: str, admin: str = "", **environment: str) -> Running:
        ours = {key: value for key, value in os.environ.items() if not key.startswith("BLUEGREEN_")}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bluegreen", *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**ours, "BLUEGREEN_ADMIN": admin, **environment},
        )
        started.append(process)
        return Running(process)

    yield begin
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@pytest.fixture
def run(start: Start, server: AdminServer) -> Run:
    """`await run("status", "shop")`: the command against `server`, to its end."""

    async def begin_and_end(*arguments: str, **environment: str) -> Ended:
        return await (await start(*arguments, **{"admin": server.address, **environment})).ends()

    return begin_and_end
