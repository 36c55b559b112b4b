"""`python -m bench [STREAMS ...]`: the xDS server against a plain one."""

from __future__ import annotations

import asyncio
import sys

from bench.streams import measure


async def main(sizes: list[int]) -> None:
    for streams in sizes:
        for server in ("plain", "ours"):
            print(await measure(server, streams), flush=True)


if __name__ == "__main__":
    asyncio.run(main([int(size) for size in sys.argv[1:]] or [500, 2_000, 5_000]))
