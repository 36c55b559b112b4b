"""Runs a phase and is killed in it: `python killed_runs.py`, told on standard input what to do, line by line.

    URL ROOT VERSION PHASE STEPS     killed with SIGKILL before step STEPS + 1; 0: not killed by itself

A step is an exchange with the server. A line on standard output says how the run ended: `killed`, `pass` or
another verdict. Each run is a process of its own: a fork of this one, which has everything imported.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterable
from typing import Any

import psycopg

from bluegreen.migrations.postgres_migrator import PostgresMigrator
from bluegreen.model.database import Database
from bluegreen.model.migration import LintFinding, MigrationOrder, Phase
from bluegreen.model.secret import Secret
from bluegreen.model.verdict import Verdict

_exchange = psycopg.AsyncConnection.wait


async def no_lint(files: Iterable[object], pg_version: str) -> tuple[LintFinding, ...]:
    return ()


def die_after(steps: int) -> None:
    left = steps

    async def wait(connection: psycopg.AsyncConnection[Any], *arguments: Any, **options: Any) -> Any:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return await _exchange(connection, *arguments, **options)

    psycopg.AsyncConnection.wait = wait  # type: ignore[method-assign, assignment]


def run(url: str, root: str, version: str, phase: str, steps: str) -> Verdict:
    if int(steps):
        die_after(int(steps))
    database = Database(Secret(url), f"{root}/{{version}}", lock_timeout=0.4, batch_time=0.01)
    order = MigrationOrder("shop", version, Phase(phase), database, "ada")
    return asyncio.run(PostgresMigrator(no_lint).run(order, lambda progress: None)).verdict


def main() -> None:
    verdicts = list(Verdict)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os._exit(verdicts.index(run(*line.split())))
        print(f"pid {pid}", flush=True)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        print("killed" if status < 0 else verdicts[status], flush=True)


if __name__ == "__main__":
    main()
