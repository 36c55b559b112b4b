"""An application that goes down without losing a request: HTTP/1.1, WebSocket and gRPC in one process.

    python examples/application/serve.py --version v1 --port 8080 --grpc-port 8081

What matters is `go_down`: the order, and the time between the steps. README.md says why.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
from collections.abc import Iterator

import uvicorn
from rpc import Rpc
from web import Web

# Seconds. Longer than a proxy keeps an idle connection (bluegreen's `upstream.idle_timeout` is 30 s): whoever
# closes one may do so just as the other sends a request on it.
KEEP_ALIVE = 75


class WebServer(uvicorn.Server):
    """Uvicorn would stop accepting at once on SIGTERM. Here, when to stop is `go_down`'s business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(options: argparse.Namespace) -> None:
    """Serve until SIGTERM, and then go down."""
    asked_to_end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked_to_end.set)
    web = Web(options.version)
    rpc = Rpc(options.version, f"{options.host}:{options.grpc_port}")
    config = uvicorn.Config(
        web,
        host=options.host,
        port=options.port,
        lifespan="off",
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=options.grace,
    )
    server = WebServer(config)
    await rpc.start()
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve())
        await asked_to_end.wait()
        await go_down(options, web, rpc, server)


async def go_down(options: argparse.Namespace, web: Web, rpc: Rpc, server: uvicorn.Server) -> None:
    """Each step makes sure that nothing is left for the next one to break."""
    # 1. Say so. Whatever comes meanwhile is answered, and its connection closed after that.
    web.ready = False
    await rpc.turn_unready()
    # 2. Wait until every proxy has heard it, and sends nothing new.
    await asyncio.sleep(options.lame_duck)
    # 3. End what would never end by itself.
    await web.say_goodbye(options.grace)
    # 4. Stop accepting, finish what is under way, and end with status 0.
    server.should_exit = True
    await rpc.stop(options.grace)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--version", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="of HTTP/1.1 and WebSocket")
    parser.add_argument("--grpc-port", type=int, default=0, help="0: any free one")
    parser.add_argument("--lame-duck", type=float, default=3.0, help="seconds until it stops accepting")
    parser.add_argument("--grace", type=int, default=20, help="seconds that what is under way then has")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
