"""Talking to the processes under test: one JSON object a line each way."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


class Process:
    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self._child = child

    async def read(self) -> dict[str, Any]:
        line = await self._child.stdout.readline()  # type: ignore[union-attr]
        if not line:
            raise EOFError("a process under test ended")
        return dict(json.loads(line))

    async def ask(self, **command: Any) -> dict[str, Any]:
        self._child.stdin.write(json.dumps(command).encode() + b"\n")  # type: ignore[union-attr]
        return await self.read()


@asynccontextmanager
async def process(module: str, *arguments: str) -> AsyncIterator[Process]:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Process(child)
    finally:
        child.stdin.close()  # type: ignore[union-attr]
        try:
            async with asyncio.timeout(60):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()
