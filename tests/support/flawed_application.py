"""An application that answers badly on purpose, and counts for itself what it was asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from bluegreen.app.demo.application import Application, ApplicationOptions


class FlawedApplication:
    """`fail_every`: each so many-th request is answered with 500 (0: none); `delay` is in seconds. Both may
    be changed at any time. Requests for /healthz and /smoke are not counted among `answers`."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.fail_every = 0
        self.delay = 0.0
        self.answers = 0
        self.failures = 0
        self.first_failure_at: float | None = None  # seconds since the epoch
        self.paths: dict[str, int] = {}
        self.address = ""

    @web.middleware
    async def spoil(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.paths[request.path] = self.paths.get(request.path, 0) + 1
        if request.path in ("/healthz", "/smoke"):
            return await handler(request)  # type: ignore[no-any-return]
        self.answers += 1
        if self.fail_every and self.answers % self.fail_every == 0:
            self.failures += 1
            self.first_failure_at = self.first_failure_at or time.time()
            return web.Response(status=500, text="on purpose")
        await asyncio.sleep(self.delay)
        return await handler(request)  # type: ignore[no-any-return]


@asynccontextmanager
async def flawed_application(version: str) -> AsyncIterator[FlawedApplication]:
    """One that listens, for as long as the context is open."""
    flawed = FlawedApplication(version)
    application = Application(ApplicationOptions(version)).build()
    application.middlewares.append(flawed.spoil)
    runner = web.AppRunner(application, access_log=None, keepalive_timeout=75.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    host, port = runner.addresses[0][:2]
    flawed.address = f"{host}:{port}"
    try:
        yield flawed
    finally:
        await runner.cleanup()
