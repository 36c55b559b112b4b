"""The floor: the same pushes over bare loopback sockets, without gRPC or any protocol.

`python -m bench.floor` is the server: it writes 1 KB to each connection and reads a short answer, as
`bench.serving`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from bench.limits import allow_many_files, resident_bytes

PUSH = b"x" * 1024
ACK = b"y" * 100


class Server(asyncio.Protocol):
    connections: set[Server] = set()  # noqa: RUF012 - one server a process
    last = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.connections.add(self)

    def data_received(self, _data: bytes) -> None:
        Server.last = time.monotonic()


class Client(asyncio.Protocol):
    received = 0
    changed: asyncio.Event

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(ACK)  # type: ignore[attr-defined]
        Client.received += len(data)
        Client.changed.set()


async def commands(answer) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        print(json.dumps(await answer(json.loads(line))), flush=True)


async def serve() -> None:
    allow_many_files()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Server, "127.0.0.1", 0, backlog=10_000)
    host, port = server.sockets[0].getsockname()
    print(json.dumps({"address": f"{host}:{port}"}), flush=True)

    async def answer(command: dict) -> dict:
        begun = time.monotonic()
        if "push" in command:
            for connection in Server.connections:
                connection.transport.write(PUSH)  # type: ignore[attr-defined]
        return {
            "begun": begun,
            "cpu": time.process_time(),
            "resident": resident_bytes(),
            "last_ack": Server.last,
            "pause": 0.0,
            "pause_cpu": 0.0,
        }

    await commands(answer)


async def connect() -> None:
    allow_many_files()
    loop = asyncio.get_running_loop()
    Client.changed = asyncio.Event()
    total = 0

    async def answer(command: dict) -> dict:
        nonlocal total
        cpu, begun = time.process_time(), time.monotonic()
        if "connect" in command:
            host, _, port = command["address"].rpartition(":")
            for _ in range(command["connect"]):
                await loop.create_connection(Client, host, int(port))
            total += command["connect"]
        else:
            while Client.received < command["expect"] * total * len(PUSH):
                Client.changed.clear()
                await Client.changed.wait()
        return {"begun": begun, "last": time.monotonic(), "cpu": time.process_time() - cpu, "refused": 0}

    await commands(answer)


if __name__ == "__main__":
    asyncio.run(connect() if sys.argv[1:] == ["client"] else serve())
