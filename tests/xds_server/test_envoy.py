"""Real Envoys, the oldest and the newest, in both protocols."""

# ruff: noqa: N802 - the names carry the ids of their rows
from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bluegreen.app.demo import envoy_process
from tests.xds_server.conftest import by_cluster, listen, proxy, settled
from tests.xds_server.envoys import OLDEST, binary, bootstrap
from tests.xds_server.resources import cluster, endpoints, listener, route
from xds_server import CLUSTER, ENDPOINT, LISTENER, ROUTE, Resource, XdsServer

ALL = (CLUSTER, ENDPOINT, LISTENER, ROUTE)
StartAnyEnvoy = Callable[[dict[str, Any]], Awaitable[envoy_process.EnvoyProcess]]
StartEnvoy = Callable[[str], Awaitable[envoy_process.EnvoyProcess]]


@pytest.fixture(
    params=[("newest", False), ("newest", True), (OLDEST, False), (OLDEST, True)],
    ids=["newest-sotw", "newest-delta", "oldest-sotw", "oldest-delta"],
)
def start_envoy(
    request: pytest.FixtureRequest, envoy: StartAnyEnvoy, monkeypatch: pytest.MonkeyPatch
) -> StartEnvoy:
    """`await start_envoy(address)`: an Envoy named "e" that is ready."""
    version, delta = request.param
    monkeypatch.setattr(envoy_process, "find_envoy", lambda: binary(version))
    return lambda address: envoy(bootstrap(address, node_id="e", delta=delta))


@pytest.fixture
async def backends() -> AsyncIterator[dict[str, int]]:
    """Two applications that answer with their name: name -> port."""
    ports: dict[str, int] = {}
    runners = []
    for name in ("v1", "v2"):

        async def answer(_request: web.Request, name: str = name) -> web.Response:
            await asyncio.sleep(0.005)
            return web.Response(text=name)

        app = web.Application()
        app.router.add_get("/", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        ports[name] = runner.addresses[0][1]
        runners.append(runner)
    yield ports
    for runner in runners:
        await runner.cleanup()


def snapshot(revision: int, backends: dict[str, int]) -> list[Resource]:
    """Each revision has a cluster of its own, as a release has."""
    name = f"r{revision}"
    port = list(backends.values())[revision % 2]
    return [cluster(name), endpoints(name, port), listener("entry", "table"), route("table", **{name: 100})]


async def acknowledged(server: XdsServer, generation: int, node_id: str = "e") -> None:
    def proven() -> bool:
        proxy = server.fleet.get(node_id)
        return proxy is not None and all((proxy.acked_generation(t) or 0) >= generation for t in ALL)

    await settled(server, proven, 20)


class Answers(Counter[str]):
    """How often each text came; failures are "failed"."""

    came: asyncio.Event

    async def more(self, count: int) -> None:
        """Wait until so many more have come."""
        enough = self.total() + count
        while self.total() < enough:
            self.came.clear()
            await self.came.wait()


@asynccontextmanager
async def requests(url: str) -> AsyncIterator[Answers]:
    """A load of a few connections as long as the block lasts."""
    seen = Answers()
    seen.came = asyncio.Event()
    over = asyncio.Event()

    async def ask(session: aiohttp.ClientSession) -> None:
        while not over.is_set():
            async with session.get(url) as response:
                text = await response.text()
                seen[text if response.status == 200 else "failed"] += 1
                seen.came.set()

    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
        for _ in range(8):
            tasks.create_task(ask(session))
        yield seen
        over.set()


async def test_ORDER_whole_snapshots_swap_under_load_without_a_failure(
    server: XdsServer, address: str, backends: dict[str, int], start_envoy: StartEnvoy
) -> None:
    server.publish("edge", snapshot(0, backends))
    proxy = await start_envoy(address)
    await acknowledged(server, 1)
    host, port = (await proxy.admin.listeners())["entry"]
    async with requests(f"http://{host}:{port}/") as seen:
        for revision in range(1, 16):
            await acknowledged(server, server.publish("edge", snapshot(revision, backends)))
            await seen.more(20)
    assert seen["failed"] == 0
    assert min(seen["v1"], seen["v2"]) > 50
    assert {c["name"] for c in await proxy.admin.clusters()} == {"xds", "r15"}


async def test_WARM_a_changed_cluster_under_its_name(
    server: XdsServer, address: str, backends: dict[str, int], start_envoy: StartEnvoy
) -> None:
    server.publish("edge", snapshot(0, backends))
    await start_envoy(address)
    await acknowledged(server, 1)
    async with asyncio.timeout(4):  # without its endpoints it would warm until the fetch timeout of 5 s
        for seconds in range(2, 6):
            await acknowledged(server, server.change("edge", [cluster("r0", seconds)]))


async def test_NACK_of_a_real_envoy_and_the_way_back(
    server: XdsServer, address: str, backends: dict[str, int], start_envoy: StartEnvoy
) -> None:
    server.publish("edge", snapshot(0, backends))
    await start_envoy(address)
    await acknowledged(server, 1)
    bad = route("table")
    broken = Resource.encoded(ROUTE, "table", bad.body.replace(b"\x0a\x03all", b"\x0a\x00\x52\x01x"))
    generation = server.change("edge", [broken])
    await settled(server, lambda: proxy(server, "e").types[ROUTE].nack is not None)
    assert proxy(server, "e").acked_generation(ROUTE) == generation - 1
    await acknowledged(server, server.publish("edge", snapshot(0, backends)))
    assert proxy(server, "e").types[ROUTE].nack is None


async def test_RECON_a_proxy_that_was_away_loses_no_request(
    server: XdsServer, backends: dict[str, int], start_envoy: StartEnvoy
) -> None:
    server.publish("edge", snapshot(0, backends))
    listening, address = await listen(server)
    proxy = await start_envoy(address)
    await acknowledged(server, 1)
    host, port = (await proxy.admin.listeners())["entry"]
    async with requests(f"http://{host}:{port}/") as seen:
        for revision in range(1, 4):
            await listening.stop(None)
            generation = server.publish("edge", snapshot(revision, backends))
            listening, _ = await listen(server, int(address.rpartition(":")[2]))
            await acknowledged(server, generation)
    assert seen["failed"] == 0
    await listening.stop(None)


async def test_READY_a_restarted_server_is_silent_until_its_state_is_loaded(
    server: XdsServer, backends: dict[str, int], start_envoy: StartEnvoy
) -> None:
    server.publish("edge", snapshot(0, backends))
    listening, address = await listen(server)
    proxy = await start_envoy(address)
    await acknowledged(server, 1)
    host, port = (await proxy.admin.listeners())["entry"]
    async with requests(f"http://{host}:{port}/") as seen:
        await listening.stop(None)
        again = XdsServer(by_cluster)
        listening, _ = await listen(again, int(address.rpartition(":")[2]))
        await seen.more(100)
        again.publish("edge", snapshot(0, backends))
        again.start_serving()
        await acknowledged(again, 1)
    assert seen["failed"] == 0
    await listening.stop(None)
