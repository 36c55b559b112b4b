"""A network between processes, which can fail: cut, or deaf in one direction. Can be a balancer as well."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from bluegreen.app.demo.ports import free_port
from bluegreen.model.endpoint import Endpoint

CHUNK = 65_536


class Cable:
    """Carries TCP connections that come to `address` on to the `targets` in turn; one that is taken off the
    list keeps those that it has."""

    def __init__(self, *targets: Endpoint) -> None:
        self.address = Endpoint(targets[0].host, free_port(targets[0].host))
        self.targets = list(targets)
        self._server: asyncio.Server | None = None
        self._carrying: set[asyncio.Task[None]] = set()
        self._heard = asyncio.Event()
        self._heard.set()

    async def mend(self) -> None:
        """Take connections again (or for the first time)."""
        self._server = await asyncio.start_server(self._take, self.address.host, self.address.port)

    async def cut(self) -> None:
        """End every connection, and refuse new ones."""
        if self._server is not None:
            self._server.close()
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    def deafen(self) -> None:
        """Keep back what the target says; what is said to it arrives, and the connections stay."""
        self._heard.clear()

    def hear(self) -> None:
        """Deliver what was kept back, and what comes."""
        self._heard.set()

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._carry(reader, writer))
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)

    async def _carry(self, near: asyncio.StreamReader, near_writer: asyncio.StreamWriter) -> None:
        target = self.targets.pop(0)
        self.targets.append(target)
        try:
            far, far_writer = await self._reach(target)
        except OSError:
            near_writer.transport.abort()
            return
        ways = (self._pump(near, far_writer, deaf=False), self._pump(far, near_writer, deaf=True))
        tasks = [asyncio.ensure_future(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            near_writer.transport.abort()
            far_writer.transport.abort()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _reach(self, target: Endpoint) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(target.host, target.port)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, deaf: bool) -> None:
        with suppress(ConnectionError):
            while chunk := await reader.read(CHUNK):
                if deaf:
                    await self._heard.wait()
                writer.write(chunk)
                await writer.drain()
