"""A process that writes until it is killed: each line is a revision that was acknowledged to it.

python -m tests.deployment_store.writer DATABASE
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

from bluegreen.model.event import What
from deployment_store import SqliteStore
from tests.deployment_store.samples import event


async def write(path: Path) -> None:
    async with SqliteStore.open(path) as store:
        aggregate = await store.load("shop")
        while True:
            revision = aggregate.revision + 1
            changed = replace(aggregate, traffic=replace(aggregate.traffic, cutover_percent=revision % 101))
            events = [event(What.WEIGHT_SET, after=str(revision)), event(What.WEIGHT_ACKNOWLEDGED)]
            aggregate = await store.compare_and_set(changed, aggregate.revision, events)
            print(aggregate.revision, flush=True)


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1])))
