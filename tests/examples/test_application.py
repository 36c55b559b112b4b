"""The application of examples/application goes down under load, behind real Envoys, and nothing is lost."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.wrappers_pb2 import StringValue
from grpc_health.v1 import health_pb2, health_pb2_grpc

from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.app.demo.ports import free_port
from bluegreen.app.demo.processes import ChildProcess, ChildProcesses, Command
from tests.release.world import ORIGIN, SHOP, World
from tests.support.fixtures import StartLoad

SERVE = Path(__file__).parents[2] / "examples" / "application" / "serve.py"
HEALTH = {"interval": "1s", "unhealthy_threshold": 3}
LAME_DUCK = 2.0
"""Seconds: enough for one check, not for three. A refusal counts at once, whatever the threshold."""

RPC, RPC_DOMAIN = "rpc", "rpc.example.com"


@dataclass(frozen=True)
class Instance:
    """One that listens."""

    child: ChildProcess
    http: str
    grpc: str

    async def goes_down(self) -> int:
        """SIGTERM; its exit status."""
        return await self.child.stop(grace=30.0)


async def start(children: ChildProcesses, version: str, lame_duck: float = LAME_DUCK) -> Instance:
    http, rpc = free_port(), free_port()
    options = (f"--version={version}", f"--port={http}", f"--grpc-port={rpc}", f"--lame-duck={lame_duck}")
    child = await children.start(Command(f"example-{version}", (sys.executable, str(SERVE), *options)))
    instance = Instance(child, f"127.0.0.1:{http}", f"127.0.0.1:{rpc}")
    await child.expect(_listens(instance.http), 20.0)
    return instance


async def _listens(address: str) -> None:
    async with aiohttp.ClientSession() as client:
        while True:
            try:
                async with client.get(f"http://{address}/healthz") as answer:
                    assert answer.status == 200
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)  # nobody tells when a port opens


@dataclass
class Calls:
    """Waits of 0.1 s in a row by gRPC, some side by side, for as long as they are wanted."""

    done: int = 0
    failures: list[str] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def make(self, channel: grpc.aio.Channel) -> None:
        wait = channel.unary_unary(
            "/example.Application/Wait",
            request_serializer=Duration.SerializeToString,
            response_deserializer=StringValue.FromString,
        )
        while not self.over.is_set():
            try:
                await wait(Duration(nanos=100_000_000), timeout=10.0)
            except grpc.aio.AioRpcError as error:
                self.failures.append(f"{error.code()}: {error.details()}")
            self.done += 1


@pytest.fixture
async def channel(world: World) -> AsyncIterator[grpc.aio.Channel]:
    """To the edge, as the gRPC service."""
    target = world.entry("edge").removeprefix("http://")
    options = [("grpc.default_authority", RPC_DOMAIN)]
    async with grpc.aio.insecure_channel(target, options=options) as made:
        yield made


async def release(world: World, service: str, endpoints: list[str]) -> None:
    """Deploy, promote and wait until it is active."""
    deployed = await world.admin.Deploy(
        pb.DeployRequest(origin=ORIGIN, service=service, version="v1", endpoints=endpoints)
    )
    await world.until(deployed.deployment_revision, "ready", service=service)
    await world.admin.Promote(pb.PromoteRequest(origin=ORIGIN, service=service, full=True))
    await world.until(deployed.deployment_revision, "active", service=service)


async def test_nothing_is_lost_when_one_of_two_goes_down_under_load(
    world: World, children: ChildProcesses, load: StartLoad, channel: grpc.aio.Channel
) -> None:
    rpc = {"domains": [RPC_DOMAIN], "upstream": {"protocol": "grpc"}, "health_check": HEALTH}
    await world.start(
        routes=[{"prefix": "/", "websocket": True}],
        health_check={"path": "/healthz", **HEALTH},
        others={RPC: rpc},
    )
    instances = [await start(children, version) for version in ("one", "two")]
    await release(world, SHOP, [each.http for each in instances])
    await release(world, RPC, [each.grpc for each in instances])
    running = await load(*world.entries(), rate=150.0)
    calls = Calls()
    async with AsyncExitStack() as held, aiohttp.ClientSession() as client, asyncio.TaskGroup() as group:
        sockets: dict[str, aiohttp.ClientWebSocketResponse] = {}
        while len(sockets) < 2:  # one to each of them
            socket = await held.enter_async_context(client.ws_connect(f"{world.entry('edge')}/ws"))
            await socket.send_str("hello")
            sockets[(await socket.receive_str(timeout=5)).partition(":")[0]] = socket
        for _ in range(5):
            group.create_task(calls.make(channel))

        assert await instances[0].goes_down() == 0
        assert (await sockets["one"].receive(timeout=5)).data == 1001
        await sockets["two"].send_str("still here")
        assert await sockets["two"].receive_str(timeout=5) == "two: still here"
        counted = calls.done
        await running.until(lambda report: calls.done > counted + 20)  # it goes on
        calls.over.set()
    report = await running.stop()
    assert report.failed == 0, report.examples
    assert set(report.versions) == {"one", "two"}
    assert calls.failures == []
    assert calls.done > 50
    print(f"{report.requests} requests, {calls.done} calls")


async def test_the_order_of_going_down(children: ChildProcesses) -> None:
    instance = await start(children, "v1")
    async with aiohttp.ClientSession() as client, grpc.aio.insecure_channel(instance.grpc) as rpc:
        health = health_pb2_grpc.HealthStub(rpc)
        watch = health.Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        socket = await client.ws_connect(f"http://{instance.http}/ws")
        async with client.get(f"http://{instance.http}/") as answer:
            assert "connection" not in answer.headers
        slow = asyncio.ensure_future(client.get(f"http://{instance.http}/slow?seconds={LAME_DUCK + 1:g}"))
        wait = rpc.unary_unary(
            "/example.Application/Wait",
            request_serializer=Duration.SerializeToString,
            response_deserializer=StringValue.FromString,
        )(Duration(seconds=int(LAME_DUCK) + 1))
        # On a connection of its own, so that the slow one is under way as well.
        async with client.get(f"http://{instance.http}/"):
            pass

        exits = asyncio.ensure_future(instance.goes_down())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        watch.cancel()
        async with client.get(f"http://{instance.http}/healthz") as answer:
            assert answer.status == 503
        async with client.get(f"http://{instance.http}/") as answer:
            assert (answer.status, answer.headers["connection"]) == (200, "close")
        await socket.send_str("still here")
        assert await socket.receive_str(timeout=5) == "v1: still here"
        assert (await socket.receive(timeout=5)).data == 1001
        async with await slow as answer:
            assert (await answer.json())["version"] == "v1"
        assert (await wait).value == "v1"
        assert await exits == 0
