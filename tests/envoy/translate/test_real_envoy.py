"""A real Envoy takes what we encode, and does with it what was meant."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bluegreen.app.demo.envoy_process import EnvoyProcess, validate
from bluegreen.app.demo.processes import ChildProcesses
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.gateway import Gateway
from bluegreen.model.service import HealthCheck, Protocol, Retries, Route, Upstream
from bluegreen.model.traffic import ServiceTraffic
from bluegreen.switches.envoy.translate.access_log import RUNTIME_KEY
from tests.envoy.translate.embedded import embedded
from tests.envoy.translate.samples import backend, service, traffic
from tests.support.fixtures import StartApplication, StartEnvoy

EDGE = Gateway("edge", Endpoint("127.0.0.1", 0), Endpoint("127.0.0.1", 0))
PRODUCTION, PREVIEW = "bluegreen/edge", "bluegreen/edge/preview"


class Client:
    """Asks one Envoy's listeners."""

    def __init__(self, proxy: EnvoyProcess, session: aiohttp.ClientSession) -> None:
        self.proxy, self._session = proxy, session

    async def ask(
        self,
        path: str,
        host: str,
        listener: str = PRODUCTION,
        *,
        method: str = "GET",
        body: bytes | BytesIO | AsyncIterator[bytes] | None = None,
        **headers: str,
    ) -> tuple[int, str]:
        """The status, and the version that answered or the text of an answer that has none."""
        async with self._session.request(
            method, await self.url(path, listener), headers={"host": host, **headers}, data=body
        ) as answer:
            return answer.status, answer.headers.get("x-version") or await answer.text()

    async def websocket(self, path: str, host: str) -> aiohttp.ClientWebSocketResponse:
        return await self._session.ws_connect(await self.url(path, PRODUCTION), headers={"host": host})

    async def url(self, path: str, listener: str) -> str:
        host, port = (await self.proxy.admin.listeners())[listener]
        return f"http://{host}:{port}{path}"


@asynccontextmanager
async def serving(envoy: StartEnvoy, directory: Path, *services: ServiceTraffic) -> AsyncIterator[Client]:
    proxy = await envoy(embedded(EDGE, services, directory))
    async with aiohttp.ClientSession() as session:
        yield Client(proxy, session)


@pytest.mark.parametrize("protocol", list(Protocol))
@pytest.mark.parametrize("address", ["127.0.0.1:1", "localhost:1"])
async def test_envoy_accepts_every_kind_of_service(
    protocol: Protocol, address: str, children: ChildProcesses, tmp_path: Path
) -> None:
    paths = (
        Route("/"),
        Route("/ws", timeout=0, idle_timeout=0, websocket=True),
        Route("/once", exact=True, retries=Retries(attempts=0)),
    )
    full = service(
        domains=("*", "*.a.com", "a.*"),
        routes=paths,
        upstream=Upstream(protocol=protocol, panic_threshold=0),
        health_check=HealthCheck(interval=0.5),
    )
    two = (backend(1, address, weight=100, of=full), backend(2, address, of=full))
    services = (ServiceTraffic(full, two, preview=2), ServiceTraffic(service("idle", domains=("*", "b.com"))))
    await validate(children, embedded(EDGE, services, tmp_path))


async def test_requests_find_the_most_specific_route(
    application: StartApplication, envoy: StartEnvoy, tmp_path: Path
) -> None:
    at = {version: (await application(version)).address for version in ("shop-1", "shop-2", "api")}
    shop = service("shop", domains=("a.com", "*.shop.com"), health_check=HealthCheck())
    api = service("api", domains=("A.com",), routes=(Route("/api"), Route("/only", exact=True)))
    idle = service("idle", domains=("a.com",), routes=(Route("/api/idle"),))
    shop_traffic = ServiceTraffic(
        shop,
        (backend(1, at["shop-1"], weight=100, of=shop), backend(2, at["shop-2"], of=shop)),
        preview=2,
    )
    services = (
        shop_traffic,
        ServiceTraffic(api, (backend(1, at["api"], weight=100),)),
        ServiceTraffic(idle),
    )
    async with serving(envoy, tmp_path, *services) as client:
        answers = {
            ("/", "a.com"): (200, "shop-1"),
            ("/", "a.com:8080"): (200, "shop-1"),
            ("/", "A.COM"): (200, "shop-1"),
            ("/", "x.shop.com"): (200, "shop-1"),
            ("/", "shop.com"): (404, ""),
            ("/api", "a.com"): (200, "api"),
            ("/api/x", "a.com"): (200, "api"),
            ("/api?x=1", "a.com"): (200, "api"),
            ("/apiary", "a.com"): (200, "shop-1"),
            ("/only", "a.com"): (200, "api"),
            ("/only/x", "a.com"): (200, "shop-1"),
            ("/x/../api", "a.com"): (200, "api"),
            # Before its first promotion a service takes nothing from the one that has a shorter prefix.
            ("/api/idle/x", "a.com"): (200, "api"),
            ("/api", "x.shop.com"): (200, "shop-1"),
        }
        assert {key: await client.ask(*key) for key in answers} == answers
        assert await client.ask("/", "a.com", PREVIEW) == (200, "shop-2")
        assert await client.ask("/api", "a.com", PREVIEW) == (503, "api has no version to preview.\n")
        assert await client.ask("/", "a.com", method="POST") == (200, "shop-1")


async def test_a_whole_weight_moves_everything(
    application: StartApplication, envoy: StartEnvoy, tmp_path: Path
) -> None:
    # By name, as in a network of containers.
    blue, green = await application("v1"), await application("v2")
    backends = (
        backend(1, f"localhost:{blue.port}"),
        backend(2, f"localhost:{green.port}", weight=100),
    )
    async with serving(envoy, tmp_path, ServiceTraffic(service(), backends, preview=1)) as client:
        answers = {await client.ask("/", "shop.example.com") for _ in range(20)}
        assert answers == {(200, "v2")}
        assert await client.ask("/", "shop.example.com", PREVIEW) == (200, "v1")


async def test_websockets_pass_where_a_route_allows_them(
    application: StartApplication, envoy: StartEnvoy, tmp_path: Path
) -> None:
    app = await application("v1")
    chat = service(routes=(Route("/"), Route("/ws", websocket=True)))
    plain = service("plain")
    services = (ServiceTraffic(each, (backend(1, app.address, weight=100),)) for each in (chat, plain))
    async with serving(envoy, tmp_path, *services) as client:
        socket = await client.websocket("/ws", "shop.example.com")
        await socket.send_str("hello")
        assert "hello" in await socket.receive_str()
        await socket.close()
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.websocket("/ws", "plain.example.com")
        assert refused.value.status == 403


@asynccontextmanager
async def cutting_every_other_request() -> AsyncIterator[tuple[str, list[str]]]:
    """An instance that reads the first, third, ... request and hangs up, and answers the others."""
    seen: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.append(head.split()[0].decode())
        if len(seen) % 2 == 0:
            writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok")
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", seen


@pytest.mark.parametrize(
    ("method", "retries", "headers", "status", "seen"),
    [
        ("GET", Retries(), {}, 200, ["GET", "GET"]),
        ("OPTIONS", Retries(), {}, 200, ["OPTIONS", "OPTIONS"]),
        ("POST", Retries(), {}, 503, ["POST"]),
        ("GET", Retries(reset=False), {}, 503, ["GET"]),
        ("GET", Retries(attempts=0), {}, 503, ["GET"]),
        # A stranger cannot ask for what the route does not allow.
        ("POST", Retries(), {"x-envoy-retry-on": "5xx", "x-envoy-max-retries": "3"}, 503, ["POST"]),
    ],
)
async def test_a_request_cut_short_is_repeated_only_if_it_is_safe(
    *,
    method: str,
    retries: Retries,
    headers: dict[str, str],
    status: int,
    seen: list[str],
    envoy: StartEnvoy,
    tmp_path: Path,
) -> None:
    async with cutting_every_other_request() as (address, requests):
        shop = service(routes=(Route(retries=retries),))
        wanted = ServiceTraffic(shop, (backend(1, address, weight=100),))
        async with serving(envoy, tmp_path, wanted) as client:
            answer = await client.ask("/", "shop.example.com", method=method, **headers)
            assert (answer[0], requests) == (status, seen)


async def test_a_request_that_reached_nobody_is_sent_elsewhere(
    application: StartApplication, envoy: StartEnvoy, tmp_path: Path
) -> None:
    app = await application("v1")
    # Nothing listens on port 1.
    wanted = ServiceTraffic(service(), (backend(1, app.address, "127.0.0.1:1", weight=100),))
    async with serving(envoy, tmp_path, wanted) as client:
        answers = {await client.ask("/", "shop.example.com", method="POST") for _ in range(20)}
        assert answers == {(200, "v1")}


async def test_the_access_log_can_be_turned_on_while_it_runs(
    application: StartApplication, envoy: StartEnvoy, tmp_path: Path
) -> None:
    app = await application("v1")
    wanted = ServiceTraffic(service(), (backend(1, app.address, weight=100),))
    async with serving(envoy, tmp_path, wanted) as client:
        await client.ask("/before", "shop.example.com")
        await client.proxy.admin.post(f"/runtime_modify?{RUNTIME_KEY}=100")
        await client.ask("/after", "shop.example.com")
        await client.proxy.stop()
        lines = client.proxy.child.log.read_text().splitlines()
        logged: list[dict[str, Any]] = [json.loads(line) for line in lines if line.startswith("{")]
        assert [(each["path"], each["status"], each["cluster"]) for each in logged] == [
            ("/after", 200, "bluegreen/shop/1")
        ]


async def test_every_statistic_is_under_a_name_of_ours(envoy: StartEnvoy, tmp_path: Path) -> None:
    async with serving(envoy, tmp_path, traffic(service())) as client:
        await client.ask("/", "shop.example.com")
        await client.ask("/", "shop.example.com", PREVIEW)
        names = await client.proxy.admin.stats(r"^(cluster|http|listener)\.bluegreen/")
        assert names["cluster.bluegreen/shop/1.upstream_rq_5xx"] == 1
        assert names["cluster.bluegreen/shop/2/preview.upstream_rq_5xx"] == 1
        assert names["http.bluegreen/edge.downstream_rq_5xx"] == 1
        assert names["http.bluegreen/edge/preview.downstream_rq_5xx"] == 1
