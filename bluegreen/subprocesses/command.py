"""Runs a program of the user's, and leaves nothing of it behind.

It leads a process group of its own (setsid(2)), which is killed when the program ends, by itself or not: a
child that was left behind goes with it. Only a process that moves itself into another group or session
escapes, as a daemon does, and so do all where this process is itself killed. Linux tells of the end through
a pidfd (pidfd_open(2)), so that the group can be killed while the program's id is still its own.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Self, cast

from bluegreen.subprocesses.command_output import CommandAnswer, CommandOutput

TERMINATION_GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL."""

KILL_GRACE = 5.0
"""Seconds to die of SIGKILL. What hangs in the kernel takes longer, and is not waited for."""

OUTPUT_GRACE = 1.0
"""Seconds that the output may go on once the group is dead: only a process that escaped still holds it."""


class CannotStart(Exception):
    """The program could not be started; the message says why."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a program reads from standard input, and how many bytes it may write to standard output."""

    text: bytes
    answer_limit: int


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, without a shell, and for how many seconds at most. The environment is all that it gets;
    the directory is ours. One without a question reads nothing."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    timeout: float
    question: Question | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """`status`: the exit status, negative for a signal; None: it had to be stopped. `output`: the end of what
    it printed for a person: standard error, and standard output with it where that was not the answer to a
    question. `answer`: None where there was no question, or the answer was too long, and the program killed
    for it."""

    status: int | None
    output: str
    answer: bytes | None = None


class CommandRunner:
    """Runs so many at once; further ones wait, and their time begins when they do."""

    def __init__(self, at_once: int = 8) -> None:
        self._places = asyncio.Semaphore(at_once)

    async def run(self, command: Command) -> Ended:
        """Run it to its end. Raises CannotStart. Cancelled, it kills the group at once."""
        async with self._places:
            running = _Running.start(command)
            try:
                return await running.end(command.timeout)
            finally:
                await running.clear()


class _Running:
    """A program that runs, what it has printed, and its end, of which the pidfd tells."""

    def __init__(self, process: subprocess.Popen[bytes], pidfd: int, question: Question | None) -> None:
        self._process = process
        self._answer: CommandAnswer | None = None
        stdout = cast(IO[bytes], process.stdout)
        if question is None:
            self._output = CommandOutput(stdout)
        else:
            self._output = CommandOutput(cast(IO[bytes], process.stderr))
            self._answer = CommandAnswer(stdout, question.answer_limit, lambda: self._signal(signal.SIGKILL))
        self._pidfd = pidfd
        self._ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(pidfd, self._on_end)

    @classmethod
    def start(cls, command: Command) -> Self:
        """Start it. Holds the loop for the milliseconds between fork and exec: a thread could start what
        nobody waits for any more. Raises CannotStart."""
        if not command.arguments:
            raise CannotStart("no command is given")
        question = command.question
        try:
            with _readable(question.text if question else b"") as stdin:
                process = subprocess.Popen(  # noqa: S603 - the user's own command, without a shell
                    command.arguments,
                    bufsize=0,
                    env=dict(command.environment),
                    stdin=stdin,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE if question else subprocess.STDOUT,
                    start_new_session=True,
                )
        except (OSError, ValueError) as error:
            raise CannotStart(f"{command.arguments[0]!r} cannot be started: {_reason(error)}") from error
        try:
            pidfd = os.pidfd_open(process.pid)
        except OSError as error:  # out of descriptors, most likely
            with process:
                os.killpg(process.pid, signal.SIGKILL)
            raise CannotStart(f"{command.arguments[0]!r} cannot be watched: {_reason(error)}") from error
        return cls(process, pidfd, question)

    async def end(self, timeout: float) -> Ended:
        """Wait for its end, bring it about after `timeout` seconds, and collect what was printed."""
        in_time = await _happens(self._ended, timeout)
        if not in_time:
            self._signal(signal.SIGTERM)
            await _happens(self._ended, TERMINATION_GRACE)
        await self._kill()
        answer = self._answer
        await _happens(self._output.is_whole, OUTPUT_GRACE)
        if answer is not None:
            await _happens(answer.is_whole, OUTPUT_GRACE)
        status = self._process.poll()
        return Ended(
            status if in_time else None,
            self._output.text(),
            None if answer is None or answer.is_surplus else answer.content(),
        )

    async def clear(self) -> None:
        """Leave nothing behind, whatever happened."""
        try:
            await self._kill()
        finally:
            self._process.poll()
            self._output.close()
            if self._answer is not None:
                self._answer.close()
            self._forget_pidfd()

    async def _kill(self) -> None:
        if self._process.returncode is None:
            self._signal(signal.SIGKILL)
            await _happens(self._ended, KILL_GRACE)

    def _signal(self, number: signal.Signals) -> None:
        # The exit status has not been taken: the id is still the program's, even when it has ended.
        with suppress(ProcessLookupError, PermissionError):  # all gone; or what is left changed its user
            os.killpg(self._process.pid, number)

    def _on_end(self) -> None:
        self._forget_pidfd()
        self._ended.set()

    def _forget_pidfd(self) -> None:
        if self._pidfd >= 0:
            asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1


def _readable(text: bytes) -> IO[bytes]:
    """A file in memory: whoever does not read it holds nobody, as a pipe would."""
    file = os.fdopen(os.memfd_create("stdin"), "w+b", buffering=0)
    file.write(text)
    file.seek(0)
    return file


async def _happens(event: asyncio.Event, within: float) -> bool:
    try:
        async with asyncio.timeout(within):
            await event.wait()
    except TimeoutError:
        return False
    return True


def _reason(error: OSError | ValueError) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
