"""The demo's web application: answers its version, and goes down without dropping a request.

`python -m bluegreen.app.demo.application --version v1` prints `listening on http://HOST:PORT` when it does.

SIGTERM begins a lame-duck time: `/healthz` turns 503, so that health checks take this process out, while all
else is still answered (with `Connection: close`). Then it stops accepting, finishes what is in flight within
the grace, says goodbye to its WebSockets, and exits 0.

It can be a bad version (see `faults`), and counts what reaches it: `/count` answers with the requests by
Host, health checks not counted, so that what came through a preview is told from what came as production. The
last thing that it prints is the same, after COUNTED: nothing comes after that.

With a database, `/people/7` is a person, and a POST of `{"name": "Anna Berg"}` there names it (see `people`).
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import math
import os
import signal
import sys
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from aiohttp import WSCloseCode, web
from aiohttp.typedefs import Handler

from bluegreen.app.demo.faults import FAULT_HEADER, FAULT_STATUS, Faults
from bluegreen.app.demo.people import HALVES, WHOLE, People

# Longer than a proxy keeps an idle connection to it (Envoy's upstream `idle_timeout` must be below): whoever
# closes an idle connection may close it just as the other one sends a request on it.
KEEP_ALIVE_SECONDS: Final = 75.0
LONGEST_REQUEST_SECONDS: Final = 60.0
BACKLOG: Final = 1024
CUT_SECONDS: Final = 0.1  # for what the grace was too short for
NOT_COUNTED: Final = {"/healthz", "/count"}
LISTENING: Final = "listening on "
COUNTED: Final = "requests by host: "
PERSON: Final = r"/people/{person:\d{1,15}}"


@dataclass(frozen=True, slots=True)
class ApplicationOptions:
    """What one process answers and how it goes down; all times in seconds."""

    version: str
    environment: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    latency: float = 0.0
    lame_duck: float = 1.0
    grace: float = 10.0
    faults: Faults = field(default_factory=Faults)
    database: str = ""
    halves: bool = False  # whether it takes a name to be two columns


class Application:
    """The handlers, and whether the process is draining."""

    def __init__(self, options: ApplicationOptions) -> None:
        self.draining = False
        self._options = options
        self._websockets: set[web.WebSocketResponse] = set()
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.by_host: Counter[str] = Counter()
        self._numbers = count(1)
        schema = HALVES if options.halves else WHOLE
        self._people = People(options.database, schema) if options.database else None

    def build(self) -> web.Application:
        """The routes: `/healthz`, `/smoke`, `/count`, `/slow?seconds=1`, `/ws`; GET and POST of all else."""
        application = web.Application(middlewares=[self._label])
        application.router.add_get("/healthz", self._health)
        application.router.add_get("/smoke", self._smoke)
        application.router.add_get("/count", self._count)
        application.router.add_get("/slow", self._slow)
        application.router.add_get("/ws", self._echo)
        if self._people is not None:
            application.router.add_route("GET", PERSON, self._answer)
            application.router.add_route("POST", PERSON, self._answer)
        application.router.add_route("GET", "/{path:.*}", self._answer)
        application.router.add_route("POST", "/{path:.*}", self._answer)
        application.on_cleanup.append(self._leave_database)
        return application

    @web.middleware
    async def _label(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in NOT_COUNTED:
            self.by_host[request.host] += 1
        self._in_flight += 1
        self._idle.clear()
        try:
            response = await handler(request)
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.set()
        if not response.prepared:
            response.headers["x-version"] = self._options.version
            response.headers["x-environment"] = self._options.environment
            if self.draining:
                response.force_close()
        return response

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(status=503, text="draining\n") if self.draining else web.Response(text="ok\n")

    async def _smoke(self, _: web.Request) -> web.Response:
        if self._options.faults.fail_smoke:
            return web.json_response({"status": "no database"}, status=FAULT_STATUS)
        return web.json_response({"status": "ok"})

    async def _count(self, _: web.Request) -> web.Response:
        return web.json_response(self.by_host)

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        number, faults = next(self._numbers), self._options.faults
        mark = {FAULT_HEADER: self._options.version}
        if faults.fails(number):
            return web.Response(status=FAULT_STATUS, text="failed on purpose\n", headers=mark)
        delay = faults.delay(number)
        if self._options.latency or delay:
            await asyncio.sleep(self._options.latency + delay)
        told = {
            "version": self._options.version,
            "environment": self._options.environment,
            "process": os.getpid(),
            "request": request.query.get("request", ""),
            "length": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
        }
        if self._people is not None and "person" in request.match_info:
            told["person"] = await self._people.answer(int(request.match_info["person"]), body)
        return web.json_response(told, headers=mark if delay else None)

    async def _slow(self, request: web.Request) -> web.Response:
        await asyncio.sleep(_seconds(request.query.get("seconds", "1")))
        return await self._answer(request)

    async def _echo(self, request: web.Request) -> web.WebSocketResponse:
        websocket = web.WebSocketResponse()
        websocket.headers["x-version"] = self._options.version
        await websocket.prepare(request)
        self._websockets.add(websocket)
        try:
            async for message in websocket:
                if message.type is web.WSMsgType.TEXT:
                    await websocket.send_str(message.data)
                elif message.type is web.WSMsgType.BINARY:
                    await websocket.send_bytes(message.data)
        finally:
            self._websockets.discard(websocket)
        return websocket

    async def finish(self, grace: float) -> None:
        """Take leave of WebSockets, and wait until nothing is in flight, for `grace` seconds at most.

        aiohttp's own shutdown reads nothing more, the body of a request that it waits for included.
        """
        try:
            async with asyncio.timeout(grace):
                for websocket in tuple(self._websockets):
                    await websocket.close(code=WSCloseCode.GOING_AWAY, message=b"shutting down")
                await self._idle.wait()
        except TimeoutError:
            print(f"cut short: {self._in_flight} in flight after {grace:g} s", flush=True)

    async def _leave_database(self, _: web.Application) -> None:
        if self._people is not None:
            await self._people.close()


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= LONGEST_REQUEST_SECONDS:
        raise web.HTTPBadRequest(text=f"seconds: {text!r} is not between 0 and {LONGEST_REQUEST_SECONDS:g}\n")
    return seconds


async def serve(options: ApplicationOptions) -> None:
    """Serve until SIGTERM or SIGINT, then go down gracefully. Raises OSError when the port is taken."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    application = Application(options)
    runner = web.AppRunner(
        application.build(),
        access_log=None,
        keepalive_timeout=KEEP_ALIVE_SECONDS,
        shutdown_timeout=CUT_SECONDS,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, options.host, options.port, backlog=BACKLOG)
        await site.start()
        host, port, *_ = runner.addresses[0]
        print(f"{LISTENING}http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)
        await stop.wait()
        application.draining = True
        await asyncio.sleep(options.lame_duck)
        await site.stop()
        await application.finish(options.grace)
    finally:
        await runner.cleanup()
    print(f"{COUNTED}{json.dumps(application.by_host)}", flush=True)


def parse(arguments: list[str]) -> ApplicationOptions:
    """The options on the command line; a mistake ends the process with status 2 and a sentence."""
    parser = argparse.ArgumentParser(prog="python -m bluegreen.app.demo.application", description=__doc__)
    parser.add_argument("--version", required=True, help="what to answer in x-version")
    parser.add_argument("--environment", default="", help="what to answer in x-environment")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free port, printed once it listens")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds to wait before each answer")
    parser.add_argument(
        "--lame-duck", type=float, default=1.0, help="seconds it goes on accepting after SIGTERM"
    )
    parser.add_argument("--grace", type=float, default=10.0, help="seconds it then has for what is in flight")
    parser.add_argument("--fail-smoke", action="store_true", help="answer /smoke with 500")
    parser.add_argument("--fail-every", type=int, default=0, help="answer one request in so many with 500")
    parser.add_argument("--slow", type=float, default=0.0, help="milliseconds that each answer takes longer")
    parser.add_argument("--slow-after", type=int, default=0, help="... once so many requests have come")
    parser.add_argument(
        "--database", default="", metavar="URL", help="the people's; without it there are none"
    )
    parser.add_argument("--halves", action="store_true", help="there a name is first_name and last_name")
    options = vars(parser.parse_args(arguments))
    try:
        return ApplicationOptions(faults=_faults(options), **options)
    except ValueError as error:
        parser.error(str(error))


def _faults(options: dict[str, Any]) -> Faults:
    """Take what is about faults out of the options."""
    slow = options.pop("slow") / 1000
    return Faults(
        slow=slow, **{name: options.pop(name) for name in ("fail_smoke", "fail_every", "slow_after")}
    )


def main() -> None:
    """The command line."""
    options = parse(sys.argv[1:])
    try:
        asyncio.run(serve(options))
    except OSError as error:
        sys.exit(f"cannot listen on {options.host}:{options.port} (choose another with --port): {error}")


if __name__ == "__main__":
    main()
