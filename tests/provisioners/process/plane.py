"""Control planes that are killed: `python -m tests.provisioners.process.plane DIRECTORY`.

For each line `NAME N MARK` of standard input, one more is forked that works in DIRECTORY/NAME. With a
whole number N, it kills itself with SIGKILL before the Nth step that changes anything outside of it; with a
fraction, it is killed after that many seconds. What became of it is printed: `killed`, or `done` where it
came to its end before.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from bluegreen.provisioners.process.process_provisioner import ProcessProvisioner
from tests.provisioners.process.world import all_up, empty, pid_of, pool, template, until

STEPS = (
    (os, ("replace", "fsync", "link", "unlink", "posix_spawn", "killpg")),
    (signal, ("pidfd_send_signal",)),
)
"""What changes anything outside of a process."""


async def work(directory: Path, mark: str) -> None:
    """Start two; have one ended from outside; add one, and stop the first; stop the rest."""
    wanted = pool(template(mark), 2)
    async with ProcessProvisioner.open(directory) as provisioner:
        await provisioner.up(wanted)
        first = (await all_up(provisioner, wanted))[0]
        os.kill(pid_of(first, mark), signal.SIGKILL)
        await until(provisioner, wanted, lambda all_of: all_of[0].restarts > first.restarts)
        await all_up(provisioner, wanted)
        leaving = replace(wanted, leaving=(first.id,))
        await provisioner.up(leaving)
        await all_up(provisioner, wanted)
        await provisioner.stop(leaving)
        await provisioner.stop(empty(wanted))


def die_at(step: int) -> None:
    """End this process before so many steps are taken."""
    count = 0

    def counted(take: Any) -> Any:
        def step_or_die(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count == step:
                kill(os.getpid(), signal.SIGKILL)
            return take(*arguments, **options)

        return step_or_die

    kill = os.kill
    for module, names in STEPS:
        for name in names:
            setattr(module, name, counted(getattr(module, name)))


def main() -> None:
    directory = Path(sys.argv[1])
    for line in sys.stdin:
        name, when, mark = line.split()
        child = os.fork()
        if child == 0:
            if when.isdecimal():
                die_at(int(when))
            asyncio.run(work(directory / name, mark))
            os._exit(0)
        if not when.isdecimal():
            time.sleep(float(when))
            os.kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print({0: "done", -signal.SIGKILL: "killed"}.get(status, f"failed: {status}"), flush=True)


if __name__ == "__main__":
    main()
