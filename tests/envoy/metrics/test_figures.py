"""What real Envoys report is what their clients counted."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import grpc
from aiohttp import web

from bluegreen.app.demo.envoy_process import EnvoyProcess
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.gateway import Gateway
from bluegreen.model.known_proxy import KnownProxy
from bluegreen.model.revision_figures import RevisionFigures, ServiceFigures
from bluegreen.model.service import Protocol, Route, Upstream
from bluegreen.model.traffic import ServiceTraffic
from bluegreen.switches.envoy.bootstrap import BootstrapOptions, bootstrap
from bluegreen.switches.envoy.metrics.fleet_statistics import FleetStatistics
from bluegreen.switches.envoy.metrics.proxy_statistics import SILENT_AFTER
from bluegreen.switches.envoy.metrics.receiver import MetricsReceiver
from bluegreen.switches.envoy.statistics import BUCKETS
from bluegreen.switches.envoy.switch import EnvoySwitch
from tests.envoy.translate.samples import MANUAL, backend, service
from tests.support.fixtures import StartEnvoy
from xds_server import server_options

EDGE = Gateway("edge", Endpoint("127.0.0.1", 0), Endpoint("127.0.0.1", 0))
PRODUCTION, PREVIEW = "bluegreen/edge", "bluegreen/edge/preview"
SHOP = "shop.example.com"
FLUSH = 0.2


class Reporting:
    """A switch to which an Envoy reports, and the next report to wait for."""

    def __init__(self) -> None:
        self.statistics = FleetStatistics()
        self.switch = EnvoySwitch(self.statistics, self.now)
        self.later = 0.0
        self.port = 0
        self._reported = asyncio.Event()
        self.statistics.on_report(lambda _: self._reported.set())

    def now(self) -> float:
        return time.time() + self.later

    async def next_report(self) -> None:
        self._reported.clear()
        await self._reported.wait()

    async def answered(self, revision: int, count: int, since: float = 0.0) -> ServiceFigures:
        """The figures once a revision has answered so many, and one report later, so that more would be
        seen."""
        figures = self.switch.figures("shop", since)
        try:
            async with asyncio.timeout(10):
                while figures.revisions[revision].answers < count:
                    await self.next_report()
                    figures = self.switch.figures("shop", since)
                await self.next_report()
        except TimeoutError:
            raise AssertionError(f"not within ten seconds: {figures}") from None
        return self.switch.figures("shop", since)

    async def gone(self) -> ServiceFigures:
        """The figures once the Envoy is not connected."""
        changed = asyncio.Event()
        self.switch.on_change(lambda _: changed.set())
        async with asyncio.timeout(2):
            while not self.switch.figures("shop", 0.0).unheard:
                changed.clear()
                await changed.wait()
        return self.switch.figures("shop", 0.0)

    def bootstrap(self) -> dict[str, Any]:
        options = BootstrapOptions(
            "edge",
            "edge-1",
            control_plane=Endpoint("127.0.0.1", self.port),
            admin=Endpoint("127.0.0.1", 0),
            flush_interval=FLUSH,
        )
        return bootstrap(options)


@asynccontextmanager
async def reporting(traffic: ServiceTraffic) -> AsyncIterator[Reporting]:
    made = Reporting()
    made.switch.restore({"edge": EDGE}, {"shop": traffic})
    made.switch.server.start_serving()
    server = grpc.aio.server(options=server_options())
    made.switch.server.add_to(server)
    MetricsReceiver(made.statistics, made.switch.is_gateway, made.now).add_to(server)
    made.port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield made
    finally:
        await server.stop(None)


async def ready(proxy: EnvoyProcess, reporting: Reporting) -> None:
    """Until it has every listener, and has reported: what it counts from now on has a time."""
    async with asyncio.timeout(10):
        while not {PRODUCTION, PREVIEW} <= (await proxy.admin.listeners()).keys():
            await reporting.next_report()
        await reporting.next_report()


@asynccontextmanager
async def failing(every: int) -> AsyncIterator[str]:
    """An instance that fails every n-th request, by turns with a 500 and by hanging up."""
    seen = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal seen
        seen += 1
        if seen % every:
            return web.Response(text="ok")
        if seen // every % 2:
            return web.Response(status=500)
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        host, port = runner.addresses[0]
        yield f"{host}:{port}"
    finally:
        await runner.cleanup()


async def asked(count: int, url: str, **headers: str) -> Counter[int]:
    """Statuses of as many requests. A POST that was cut short is not sent again."""
    async with aiohttp.ClientSession(headers={"host": SHOP, **headers}) as session:

        async def ask() -> int:
            async with session.post(url) as answer:
                await answer.read()
                return answer.status

        return Counter([await ask() for _ in range(count)])


def failures(statuses: Counter[int]) -> int:
    return sum(count for status, count in statuses.items() if status >= 500)


def counted(figures: RevisionFigures) -> tuple[int, int]:
    return figures.answers, figures.failures


async def test_every_nth_request_fails(envoy: StartEnvoy) -> None:
    async with failing(7) as blue, failing(3) as green:
        shop = service(manual_routing=MANUAL)
        backends = (backend(1, blue, weight=100, of=shop), backend(2, green, of=shop))
        async with reporting(ServiceTraffic(shop, backends, preview=2, candidate=2)) as plane:
            proxy = await envoy(plane.bootstrap())
            await ready(proxy, plane)
            began = time.time()
            old = await asked(100, await proxy.url(PRODUCTION))
            new = await asked(50, await proxy.url(PRODUCTION), **{MANUAL.header: MANUAL.value.value})
            assert failures(await asked(25, await proxy.url(PREVIEW))) > 0
            assert (failures(old), failures(new)) == (14, 16)

            figures = await plane.answered(2, 50)
            assert counted(figures.revisions[1]) == (100, failures(old))
            assert counted(figures.revisions[2]) == (50, failures(new))
            assert (figures.revisions[1].resets, figures.revisions[2].resets) == (old[503], new[503])
            assert (figures.gateway_answers, figures.gateway_failures) == (150, 0)
            assert figures.unheard == ()
            first = figures.revisions[1].first_failure_at
            assert first is not None
            assert began < first < time.time()
            latencies = figures.revisions[1].latencies
            assert latencies.keys() <= {*map(float, BUCKETS), float("inf")}
            # Of a request that was cut short there is none.
            assert sum(latencies.values()) == 100 - old[503]

            # A step's window holds nothing from before it.
            since = time.time()
            while plane.switch.figures("shop", since).revisions[1].seconds == 0:
                await plane.next_report()
            more = await asked(20, await proxy.url(PRODUCTION))
            figures = await plane.answered(1, 20, since)
            assert counted(figures.revisions[1]) == (20, failures(more))
            assert counted(figures.revisions[2]) == (0, 0)
            assert 0 < figures.revisions[1].seconds < time.time() - since


async def test_an_envoy_that_restarts_counts_anew(envoy: StartEnvoy) -> None:
    async with failing(5) as blue:
        shop = service()
        async with reporting(ServiceTraffic(shop, (backend(1, blue, weight=100, of=shop),))) as plane:
            proxy = await envoy(plane.bootstrap())
            await ready(proxy, plane)
            statuses = await asked(50, await proxy.url(PRODUCTION))
            await plane.answered(1, 50)

            await proxy.stop()
            assert (await plane.gone()).unheard == ("edge-1",)

            again = await envoy(plane.bootstrap(), name="again")
            await ready(again, plane)
            statuses += await asked(20, await again.url(PRODUCTION))
            figures = await plane.answered(1, 70)
            assert counted(figures.revisions[1]) == (70, failures(statuses))
            assert figures.unheard == ()


async def test_a_proxy_that_is_silent_is_not_heard(envoy: StartEnvoy) -> None:
    async with reporting(ServiceTraffic(service())) as plane:
        plane.switch.know(
            [KnownProxy("edge-0", "edge", "", 0.0, 0.0), KnownProxy("other", "other", "", 0.0, 0.0)]
        )
        proxy = await envoy(plane.bootstrap())
        await ready(proxy, plane)
        await plane.next_report()
        assert plane.switch.figures("shop", 0.0).unheard == ("edge-0",), "nor is one that never came"
        plane.later = SILENT_AFTER + 2 * FLUSH
        assert plane.switch.figures("shop", 0.0).unheard == ("edge-0", "edge-1")
        await plane.next_report()
        assert plane.switch.figures("shop", 0.0).unheard == ("edge-0",)


async def test_requests_that_nobody_can_take(envoy: StartEnvoy) -> None:
    shop = service()
    dead = ServiceTraffic(shop, (backend(1, "127.0.0.1:1", weight=100, of=shop),))
    async with reporting(dead) as plane:
        proxy = await envoy(plane.bootstrap())
        await ready(proxy, plane)
        statuses = await asked(10, await proxy.url(PRODUCTION))
        figures = await plane.answered(1, 10)
        assert counted(figures.revisions[1]) == (10, statuses[503])
        assert figures.revisions[1].connect_failures >= 10, "each try counts"
        assert (figures.gateway_answers, figures.gateway_failures) == (10, 0)


@dataclass(frozen=True, slots=True)
class Statuses(grpc.GenericRpcHandler):
    """Answers each call with the status that it asks for; `late`: after its route's timeout."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        if handler_call_details.method == "/shop.Shop/Follow":
            return grpc.unary_stream_rpc_method_handler(self._follow)
        return grpc.unary_unary_rpc_method_handler(self._ask)

    async def _ask(self, wanted: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        if wanted == b"late":
            await asyncio.sleep(5)
        elif wanted != b"OK":
            await context.abort(grpc.StatusCode[wanted.decode()])
        return b"done"

    async def _follow(
        self, wanted: bytes, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[bytes]:
        yield b"begun"
        if wanted != b"OK":
            await context.abort(grpc.StatusCode[wanted.decode()])


@asynccontextmanager
async def grpc_instance() -> AsyncIterator[str]:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Statuses(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


async def called(url: str, method: str, *wanted: str) -> Counter[str]:
    """The statuses of as many calls."""
    options = [("grpc.default_authority", SHOP)]
    async with grpc.aio.insecure_channel(url.removeprefix("http://"), options=options) as channel:
        call: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(f"/shop.Shop/{method}")

        async def status(each: str) -> str:
            try:
                async for _ in call(each.encode()):
                    pass
            except grpc.aio.AioRpcError as error:
                return error.code().name
            return "OK"

        return Counter([await status(each) for each in wanted])


SERVERS_FAULT = ("UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS")
CLIENTS_FAULT = ("CANCELLED", "INVALID_ARGUMENT", "NOT_FOUND", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED")


async def test_grpc_statuses(envoy: StartEnvoy) -> None:
    async with grpc_instance() as address:
        shop = service(routes=(Route(timeout=0.5),), upstream=Upstream(protocol=Protocol.GRPC))
        backends = (backend(1, address, weight=100, of=shop), backend(2, "127.0.0.1:1", of=shop))
        async with reporting(ServiceTraffic(shop, backends, preview=1)) as plane:
            proxy = await envoy(plane.bootstrap())
            await ready(proxy, plane)
            url = await proxy.url(PRODUCTION)
            wanted = (*["OK"] * 9, *SERVERS_FAULT, *CLIENTS_FAULT)
            statuses = await called(url, "Ask", *wanted, "late") + await called(url, "Follow", *wanted)
            await called(await proxy.url(PREVIEW), "Ask", "INTERNAL")
            # A timeout is the gateway's own answer: a 504 to its counters, and to the client a status.
            assert statuses["UNAVAILABLE"] == 3

            figures = await plane.answered(1, statuses.total())
            failed = sum(statuses[each] for each in SERVERS_FAULT)
            assert counted(figures.revisions[1]) == (statuses.total(), failed) == (41, 13)
            assert (figures.gateway_answers, figures.gateway_failures) == (41, 0)
            # A request that nobody answered in time has no latency.
            assert sum(figures.revisions[1].latencies.values()) == 40

            # All instances are gone: nobody but the gateway answers.
            plane.switch.set_weights(
                ServiceTraffic(shop, (replace(backends[0], weight=0), replace(backends[1], weight=100)))
            )
            while (await called(url, "Ask", "OK"))["OK"]:
                pass
            figures = await plane.answered(2, 1)
            assert counted(figures.revisions[2]) == (1, 1)
            assert figures.gateway_failures == 0
