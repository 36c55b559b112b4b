"""The HTTP side: `/metrics` for Prometheus, `/healthz` (the process lives), `/readyz` (it serves proxies)."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

log = logging.getLogger(__name__)


def _is_our_fault(record: logging.LogRecord) -> bool:
    """Whoever does not speak HTTP/1 here is told so with a 400; for the log it would be a traceback."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


log.addFilter(_is_our_fault)


@asynccontextmanager
async def serve_http(
    host: str, port: int, registry: CollectorRegistry, is_ready: Callable[[], bool]
) -> AsyncIterator[int]:
    """Serve while the context is open; gives the port, which matters where 0 was asked for.

    Raises OSError where the address cannot be bound.
    """

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def readyz(_: web.Request) -> web.Response:
        if is_ready():
            return web.Response(text="ready\n")
        return web.Response(status=503, text="the state is not loaded yet\n")

    application = web.Application(client_max_size=1024)
    application.add_routes(
        [web.get("/metrics", metrics), web.get("/healthz", healthz), web.get("/readyz", readyz)]
    )
    runner = web.AppRunner(application, access_log=None, logger=log)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        addresses = runner.addresses
        yield addresses[0][1] if addresses else port
    finally:
        await runner.cleanup()
