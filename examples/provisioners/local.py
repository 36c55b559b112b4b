#!/usr/bin/env python3
"""Starts each instance as a process of this machine, on a free port (Linux).

    local.py --logs DIRECTORY --command 'python3 application.py --port {port}' VERB

It keeps no state: an instance is known by the variables in its environment, which the kernel shows. So
nothing is lost or doubled, whoever is killed in the middle.
"""

from __future__ import annotations

import os
import select
import shlex
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from contract import Instance, Wanted, answer, parser

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Process:
    pid: int
    instance: str
    port: int


class Local:
    def __init__(self, command: str, logs: Path, grace: float) -> None:
        self.command, self.logs, self.grace = command, logs, grace

    def up(self, wanted: Wanted) -> None:
        for _ in range(wanted.missing([each.instance for each in self.running(wanted)])):
            self.start(wanted)

    def start(self, wanted: Wanted) -> None:
        port, instance = free_port(), f"{wanted.pool}-{uuid.uuid4().hex[:8]}"
        self.logs.mkdir(parents=True, exist_ok=True)
        told = {"POOL": self.name(wanted), "INSTANCE": instance, "VERSION": wanted.version}
        environment = os.environ | {f"BLUEGREEN_{key}": value for key, value in told.items()}
        command = [part.replace("{port}", str(port)) for part in shlex.split(self.command)]
        with (self.logs / f"{instance}.log").open("ab") as log:
            # A session of its own: this program's process group is killed when it ends. Its output goes
            # elsewhere: standard output is for the answer.
            subprocess.Popen(  # noqa: S603 - the operator's own command
                command,
                env=environment | {"PORT": str(port)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop(self, wanted: Wanted) -> None:
        going = {each.pid: each for each in self.running(wanted) if wanted.goes(each.instance)}
        for pid in going:
            kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + self.grace
        for pid in going:
            if not ends(pid, deadline - time.monotonic()):
                kill(pid, signal.SIGKILL)
                ends(pid, 5.0)

    def endpoints(self, wanted: Wanted) -> list[Instance]:
        return [
            Instance(each.instance, f"{HOST}:{each.port}", "up" if listens(each.port) else "starting")
            for each in self.running(wanted)
        ]

    def running(self, wanted: Wanted) -> list[Process]:
        return list(processes(self.name(wanted)))

    def name(self, wanted: Wanted) -> str:
        """Of another control plane on this machine the logs lie elsewhere."""
        return str(self.logs.resolve() / wanted.pool)


def processes(pool: str) -> Iterator[Process]:
    """The pool's processes; a child inherits its parent's environment, but does not lead the session."""
    for entry in Path("/proc").glob("[0-9]*"):
        pid = int(entry.name)
        try:
            text = environment_of(entry)
            leads = os.getsid(pid) == pid
        except (PermissionError, FileNotFoundError, ProcessLookupError):
            continue  # another user's, or gone meanwhile
        variables = dict(each.split("=", 1) for each in text.split("\0") if "=" in each)
        if leads and variables.get("BLUEGREEN_POOL") == pool:
            yield Process(pid, variables["BLUEGREEN_INSTANCE"], int(variables["PORT"]))


def environment_of(process: Path) -> str:
    """A process that is just being replaced by another program (exec) shows none for a moment."""
    deadline = time.monotonic() + 0.5
    while True:
        text = (process / "environ").read_bytes().decode(errors="replace")
        # What ended, and what is part of the kernel, is no program any more.
        if text or time.monotonic() > deadline or not is_program(process):
            return text
        time.sleep(0.005)


def is_program(process: Path) -> bool:
    try:
        return bool(os.readlink(process / "exe"))
    except OSError:
        return False


def free_port() -> int:
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(1.0)
        return client.connect_ex((HOST, port)) == 0


def kill(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it has ended by itself
        os.killpg(pid, number)


def ends(pid: int, timeout: float) -> bool:
    """Wait for a process that is not our child."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], max(0.0, timeout))[0])
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    options = parser(__doc__)
    options.add_argument("--command", required=True, help="of an instance; {port} is filled in")
    options.add_argument("--logs", type=Path, required=True)
    options.add_argument("--grace", type=float, default=30.0, help="seconds from SIGTERM to SIGKILL")
    given = options.parse_args()
    answer(Local(given.command, given.logs, given.grace), given.verb)
