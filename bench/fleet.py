"""A process with a fleet of proxies that behave as Envoy does: one connection each, all four types, every
response acknowledged.

Reads one JSON object a line, answers with one: {"connect": N, "address": HOST:PORT}, {"expect": ROUND},
{"churn": N, "address": HOST:PORT}: so many go without a word and are back at once.
Messages are put together from bytes and read with protobuf, so that the client costs less than any server
under test.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import Iterable
from typing import Any

import grpc
from envoy.service.discovery.v3 import discovery_pb2

from bench.limits import allow_many_files

PREFIX = "type.googleapis.com/envoy.config."
CDS = PREFIX + "cluster.v3.Cluster"
EDS = PREFIX + "endpoint.v3.ClusterLoadAssignment"
LDS = PREFIX + "listener.v3.Listener"
RDS = PREFIX + "route.v3.RouteConfiguration"
METHOD = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"
CHANNEL = [
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.http2.bdp_probe", 0),
    ("grpc.max_receive_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 100),
]


def node_bytes(number: int) -> bytes:
    """The first request's node as a real Envoy sends it: 61 KB with 516 extensions."""
    request = discovery_pb2.DiscoveryRequest()
    node = request.node
    node.id, node.cluster, node.user_agent_name = f"proxy-{number:05}", "edge", "envoy"
    node.user_agent_build_version.version.major_number = 1
    node.user_agent_build_version.version.minor_number = 40
    node.extensions.extend(EXTENSIONS)
    return request.SerializeToString()


def _extensions() -> list[Any]:
    scratch = discovery_pb2.DiscoveryRequest().node
    for number in range(516):
        kind = f"envoy.extensions.filters.http.number_{number:03}.v3.NumberedFilterConfiguration"
        scratch.extensions.add(
            name=f"envoy.filters.http.number_{number:03}", category="envoy.filters.http", type_urls=[kind]
        )
    return list(scratch.extensions)


EXTENSIONS = _extensions()


def request(type_url: str, names: tuple[str, ...], version: str = "", nonce: str = "") -> bytes:
    return discovery_pb2.DiscoveryRequest(
        type_url=type_url, resource_names=names, version_info=version, response_nonce=nonce
    ).SerializeToString()


class Fleet:
    def __init__(self) -> None:
        self.rounds: list[int] = []
        self.configured = 0
        self.refused = 0
        self.changed = asyncio.Event()
        self.proxies: dict[int, asyncio.Task[None]] = {}
        self.last_at = 0.0

    def tick(self, round_: int) -> None:
        while len(self.rounds) <= round_:
            self.rounds.append(0)
        self.rounds[round_] += 1
        self.last_at = time.monotonic()
        self.changed.set()

    async def proxy(self, number: int, address: str) -> None:
        async with grpc.aio.insecure_channel(address, CHANNEL) as channel:
            call = channel.stream_stream(METHOD)(wait_for_ready=True)
            try:
                await self.talk(call, number)
            except grpc.aio.AioRpcError as error:
                self.refused += 1
                print(error.code(), error.details(), file=sys.stderr)

    async def talk(self, call: Any, number: int) -> None:
        await call.write(node_bytes(number) + request(CDS, ()))
        round_ = 0
        names: dict[str, tuple[str, ...]] = {CDS: (), LDS: (), RDS: ("table",)}
        follow = {CDS: EDS, EDS: LDS, LDS: RDS}
        asked = {CDS}
        while True:
            data = await call.read()
            if data is grpc.aio.EOF:
                return
            response = discovery_pb2.DiscoveryResponse.FromString(data)
            type_url = response.type_url
            if type_url == CDS and EDS not in names:
                names[EDS] = tuple(_name(packed.value) for packed in response.resources)
            await call.write(request(type_url, names[type_url], response.version_info, response.nonce))
            following = follow.get(type_url)
            if following and following not in asked:
                asked.add(following)
                await call.write(request(following, names[following]))
            elif not following or round_:
                self.tick(round_)
                round_ += 1

    def connect(self, numbers: Iterable[int], address: str) -> None:
        for number in numbers:
            self.proxies[number] = asyncio.create_task(self.proxy(number, address))

    async def churn(self, count: int, address: str) -> None:
        configured = self.rounds[0]
        for number in range(count):
            self.proxies[number].cancel()
        await asyncio.wait([self.proxies[number] for number in range(count)])
        self.connect(range(count), address)
        await self.wait(0, configured + count)

    async def wait(self, round_: int, count: int) -> None:
        while len(self.rounds) <= round_ or self.rounds[round_] < count:
            self.changed.clear()
            await self.changed.wait()


def _name(value: bytes) -> str:
    """The name of a cluster: its first field."""
    return value[2 : 2 + value[1]].decode()


async def main() -> None:
    allow_many_files()
    fleet = Fleet()
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    total = 0
    while line := await reader.readline():
        command = json.loads(line)
        cpu, begun = time.process_time(), time.monotonic()
        if "connect" in command:
            fleet.connect(range(total, total + command["connect"]), command["address"])
            total += command["connect"]
            await fleet.wait(0, total)
            gc.collect()
            gc.freeze()
        elif "churn" in command:
            await fleet.churn(command["churn"], command["address"])
        elif "expect" in command:
            await fleet.wait(command["expect"], command.get("count", total))
        answer = {
            "begun": begun,
            "last": fleet.last_at,
            "cpu": time.process_time() - cpu,
            "refused": fleet.refused,
        }
        print(json.dumps(answer), flush=True)
    for task in fleet.proxies.values():
        task.cancel()
    await asyncio.gather(*fleet.proxies.values(), return_exceptions=True)


if __name__ == "__main__":
    gc.set_threshold(50_000, 20, 100)
    asyncio.run(main())
