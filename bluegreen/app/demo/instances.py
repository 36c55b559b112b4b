"""The processes that the control plane of the demo runs: what they have counted, and the end of all."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bluegreen.app.demo.application import COUNTED, LISTENING
from bluegreen.app.demo.service_watch import DemoFailed
from bluegreen.app.settings import processes_of
from bluegreen.model.errors import ProvisioningFailed
from bluegreen.provisioners.process.process_provisioner import ProcessProvisioner


@dataclass(frozen=True, slots=True)
class Instances:
    """`directory` is where the control plane keeps them: beside its database."""

    directory: Path

    @classmethod
    def of(cls, database: Path) -> Instances:
        return cls(processes_of(database))

    def counted(self, service: str, revision: int) -> Counter[str]:
        """Requests by Host, of a deployment whose instances have been stopped: their last words, in their
        logs. Raises DemoFailed where one of them did not get to say them."""
        seen: Counter[str] = Counter()
        logs = sorted(self.directory.glob(f"logs/{service}-{revision}-*.log"))
        for log in logs:
            lines = log.read_text(errors="replace").splitlines()
            counts = [line.removeprefix(COUNTED) for line in lines if line.startswith(COUNTED)]
            lives = sum(line.startswith(LISTENING) for line in lines)
            if not lives or lives != len(counts):
                raise DemoFailed(f"a process did not stop well; its log {log} ends with: {lines[-3:]}")
            for each in counts:
                seen.update(json.loads(each))
        if not logs:
            raise DemoFailed(f"no process of revision {revision} has left a log in {self.directory}")
        return seen

    @asynccontextmanager
    async def reaped(self) -> AsyncIterator[None]:
        """On leaving, by whatever door, stop all that still run; no control plane may by then.

        Interrupted in that, it leaves them to end with the demo's process (see `shop`). Raises DemoFailed.
        """
        try:
            yield
        finally:
            if self.directory.exists():
                await self._reap()

    async def _reap(self) -> None:
        trouble = ""
        async with ProcessProvisioner.open(self.directory) as left:
            try:
                await left.reap()
            except ProvisioningFailed as failed:
                trouble = str(failed)
        if trouble:
            raise DemoFailed(trouble)
