"""What a provisioner tells of by itself, awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from bluegreen.model.pool import Instance, Pool, Provisioner


class News:
    """Listens to a provisioner; `told` are the keys that it has told of."""

    def __init__(self, provisioner: Provisioner) -> None:
        self.told: list[tuple[str, int]] = []
        self._provisioner = provisioner
        self._arrived = asyncio.Event()
        provisioner.on_change(self._take)

    async def until(
        self, pool: Pool, right: Callable[[Sequence[Instance]], bool], timeout: float = 10.0
    ) -> Sequence[Instance]:
        """Ask whenever something has changed, until the instances are right."""
        async with asyncio.timeout(timeout):
            while True:
                self._arrived.clear()
                instances = await self._provisioner.instances(pool)
                if right(instances):
                    return instances
                await self._arrived.wait()

    def _take(self, key: tuple[str, int]) -> None:
        self.told.append(key)
        self._arrived.set()


def ids(instances: Sequence[Instance]) -> list[str]:
    return [each.id for each in instances]
