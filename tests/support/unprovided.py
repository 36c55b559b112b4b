"""Where nothing provides instances: every one is handed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bluegreen.model.errors import ProvisioningFailed
from bluegreen.model.pool import Instance, Pool


class Unprovided:
    """Implements `bluegreen.model.pool.Provisioner`: has no instance and gets none."""

    async def up(self, pool: Pool) -> None:
        raise ProvisioningFailed(f"Nothing here provides instances by {pool.source.type}.")

    async def stop(self, pool: Pool) -> None:
        return

    def leave_alone(self, pool: Pool) -> None:
        return

    async def instances(self, pool: Pool) -> Sequence[Instance]:
        return ()

    def on_change(self, notify: Callable[[tuple[str, int]], None]) -> None:
        return

    async def log(self, pool: Pool, instance: str, lines: int) -> str:
        return ""
