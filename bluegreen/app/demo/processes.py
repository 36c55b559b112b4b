"""Child processes that are gone on every way out of their parent.

Leaving `async with ChildProcesses(...)`, by whatever door, stops them: SIGTERM, and SIGKILL after a grace. A
parent that never gets that far (SIGKILL, a crash) takes them with it, through `lifeline`. They have sessions
of their own: Ctrl-C reaches the parent alone, which then stops them in its own order.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from bluegreen.app.demo import lifeline

T = TypeVar("T")

LOG_TAIL_BYTES = 16_384


class ChildFailed(Exception):
    """A child ended, or was not ready in time, when it was still needed. The message has its last lines."""

    def __init__(self, child: ChildProcess, what: str) -> None:
        super().__init__(f"{child.name} {what}. The end of {child.log}:\n{child.last_lines() or '(nothing)'}")


@dataclass(frozen=True, slots=True)
class Command:
    """What to start: `name` names the log file, `environment` comes on top of ours.

    With `on_line`, it is given each line of standard output; without, they go to the log like standard error.
    """

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    on_line: Callable[[str], None] | None = None


class ChildProcess:
    """One running child. Made by `ChildProcesses.start`."""

    def __init__(self, command: Command, log: Path, transport: asyncio.SubprocessTransport) -> None:
        self.name = command.name
        self.log = log
        self._transport = transport
        self._ended = cast(_Output, transport.get_protocol()).ended

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._transport.get_pid()

    @property
    def returncode(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self._transport.get_returncode()

    async def exited(self) -> int:
        """Wait until it has ended and all its output has been read; its exit status."""
        await asyncio.shield(self._ended)
        return self.returncode or 0

    async def expect(self, waiting: Coroutine[Any, Any, T], timeout: float) -> T:
        """What `waiting` returns. Raises ChildFailed when the child ends first or `timeout` seconds pass."""
        task = asyncio.ensure_future(waiting)
        try:
            await asyncio.wait((task, self._ended), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
        finally:
            task.cancel()
            await asyncio.wait((task,))
        if self._ended.done():
            raise ChildFailed(self, f"ended with status {self.returncode}")
        raise ChildFailed(self, f"was not ready within {timeout:g} s")

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing when the child has already ended."""
        if self.returncode is None:
            # Not the transport's send_signal: it polls, and may take the exit status from asyncio's watcher.
            os.kill(self.pid, number)

    async def stop(self, grace: float = 5.0) -> int:
        """SIGTERM, and SIGKILL `grace` seconds later; the exit status."""
        self.send(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace):
                return await self.exited()
        except TimeoutError:
            self.send(signal.SIGKILL)
            return await self.exited()

    def last_lines(self, count: int = 15) -> str:
        """The end of its log."""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - LOG_TAIL_BYTES))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-count:])


class ChildProcesses:
    """Starts children and, on leaving the context, stops those that still run, all at once."""

    def __init__(self, run_directory: Path, grace: float = 5.0) -> None:
        self.run_directory = run_directory
        self._grace = grace
        self._children: list[ChildProcess] = []

    async def start(self, command: Command) -> ChildProcess:
        """Start a command; a second one of the same name goes on in the same log."""
        self.run_directory.mkdir(parents=True, exist_ok=True)
        log = self.run_directory / f"{command.name}.log"
        guard = (sys.executable, "-I", "-S", lifeline.__file__, str(os.getpid()))
        with log.open("ab") as sink:
            transport, _ = await asyncio.get_running_loop().subprocess_exec(
                lambda: _Output(command.on_line),
                *(guard + command.arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if command.on_line else sink,
                stderr=sink,
                env={**os.environ, **command.environment},
                start_new_session=True,
            )
        child = ChildProcess(command, log, transport)
        self._children.append(child)
        return child

    async def stop(self) -> None:
        """Stop all that still run; when interrupted in that, kill them."""
        try:
            await asyncio.gather(*(child.stop(self._grace) for child in self._children))
        finally:
            for child in self._children:
                child.send(signal.SIGKILL)
            for child in self._children:
                await child.exited()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


class _Output(asyncio.SubprocessProtocol):
    """Cuts standard output into lines and tells when the child is gone."""

    def __init__(self, on_line: Callable[[str], None] | None) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._on_line = on_line
        self._begun = b""
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        *lines, self._begun = (self._begun + data).split(b"\n")
        for line in lines:
            if self._on_line:
                self._on_line(line.decode(errors="replace"))

    def connection_lost(self, exc: Exception | None) -> None:
        # Called once the process has ended and its pipes have been read to the end.
        if self._transport:
            self._transport.close()
        if not self.ended.done():
            self.ended.set_result(None)
