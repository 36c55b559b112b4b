"""A process with one server under test: `python -m bench.serving ours|plain`.

Reads one JSON object a line, answers with one: {"push": WEIGHT}, {"usage": true}. `plain` is what one writes
first with grpc.aio: it parses and serializes for each stream, its limits on pending requests raised and
nothing else tuned.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2

from bench import resources
from bench.limits import allow_many_files, resident_bytes
from xds_server import ROUTE, Resource, XdsServer, server_options, tune_memory

SERVED = [
    resources.cluster("blue"),
    resources.cluster("green"),
    resources.endpoints("blue", 5),
    resources.endpoints("green", 5),
    resources.listener(),
]


class Ours:
    """This project's server."""

    def __init__(self) -> None:
        self.xds = XdsServer(lambda node: node.cluster)
        self.xds.publish("edge", [Resource.of(message) for message in (*SERVED, resources.route(0))])
        self.xds.start_serving()
        self.server = grpc.aio.server(options=server_options())
        self.xds.add_to(self.server)

    def push(self, weight: int) -> None:
        self.xds.change("edge", [Resource.of(resources.route(weight))])

    def last_ack(self) -> float:
        """Monotonic seconds."""
        return max(stream.session.channels[ROUTE].acked_at or 0.0 for stream in self.xds.fleet.streams())


class Plain(ads_pb2_grpc.AggregatedDiscoveryServiceServicer):
    """A straightforward server: two tasks a stream, a queue between them, messages built for each."""

    def __init__(self) -> None:
        self.streams: set[asyncio.Queue[str]] = set()
        self.last = 0.0
        self.version = 0
        self.by_type: dict[str, list[Any]] = {}
        for message in (*SERVED, resources.route(0)):
            self.by_type.setdefault("type.googleapis.com/" + message.DESCRIPTOR.full_name, []).append(message)
        limit = 1_000_000
        options = [
            ("grpc.server.max_pending_requests", limit),
            ("grpc.server.max_pending_requests_hard_limit", limit),
        ]
        self.server = grpc.aio.server(options=options)
        ads_pb2_grpc.add_AggregatedDiscoveryServiceServicer_to_server(self, self.server)

    def push(self, weight: int) -> None:
        self.by_type[ROUTE] = [resources.route(weight)]
        self.version += 1
        for queue in self.streams:
            queue.put_nowait(ROUTE)

    def last_ack(self) -> float:
        return self.last

    async def StreamAggregatedResources(  # noqa: N802 - gRPC's name
        self, requests: AsyncIterator[Any], context: Any
    ) -> AsyncIterator[Any]:
        queue: asyncio.Queue[str] = asyncio.Queue()
        nonces: dict[str, str] = {}

        async def read() -> None:
            async for request in requests:
                if request.response_nonce and request.response_nonce == nonces.get(request.type_url):
                    self.last = time.monotonic()
                else:
                    queue.put_nowait(request.type_url)

        reading = asyncio.create_task(read())
        self.streams.add(queue)
        try:
            while True:
                type_url = await queue.get()
                nonces[type_url] = str(int(nonces.get(type_url, "0")) + 1)
                response = discovery_pb2.DiscoveryResponse(
                    version_info=str(self.version), type_url=type_url, nonce=nonces[type_url]
                )
                for message in self.by_type.get(type_url, ()):
                    response.resources.add().Pack(message)
                yield response
        finally:
            self.streams.discard(queue)
            reading.cancel()


class Pauses:
    """The longest garbage collection by the clock, and by the CPU time of the thread: on a busy machine the
    first has what others took meanwhile."""

    def __init__(self) -> None:
        self.longest = self.longest_cpu = 0.0
        self._begun = self._begun_cpu = 0.0
        gc.callbacks.append(self._note)

    def _note(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self._begun, self._begun_cpu = time.perf_counter(), time.thread_time()
        else:
            self.longest = max(self.longest, time.perf_counter() - self._begun)
            self.longest_cpu = max(self.longest_cpu, time.thread_time() - self._begun_cpu)


async def main(which: str) -> None:
    allow_many_files()
    under_test = {"ours": Ours, "plain": Plain}[which]()
    port = under_test.server.add_insecure_port("127.0.0.1:0")
    await under_test.server.start()
    ours = isinstance(under_test, Ours)
    tuning = asyncio.create_task(tune_memory(under_test.xds.fleet)) if ours else None
    pauses = Pauses()
    print(json.dumps({"address": f"127.0.0.1:{port}"}), flush=True)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        begun = time.monotonic()
        if "push" in command:
            under_test.push(command["push"])
        answer = {
            "begun": begun,
            "cpu": time.process_time(),
            "resident": resident_bytes(),
            "last_ack": under_test.last_ack() if command.get("usage") else 0.0,
            "pause": pauses.longest,
            "pause_cpu": pauses.longest_cpu,
        }
        print(json.dumps(answer), flush=True)
    if tuning is not None:
        tuning.cancel()
    await under_test.server.stop(None)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
