"""WebSockets outlive the move of the traffic, the drain, the standby and the retirement. They are shown all
the while, and end only with the instance."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack

import aiohttp

from bluegreen.admin.v1 import admin_pb2 as pb
from tests.release.world import GATEWAYS, World
from tests.support.fixtures import StartApplication, StartLoad


def of(status: pb.ServiceStatus, revision: int) -> pb.Deployment:
    return next(each for each in status.deployments if each.revision == revision)


async def test_websockets_are_held_and_shown_until_their_instance_ends(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    await world.start(
        routes=[{"prefix": "/", "websocket": True}],
        drain={"grace": "200ms", "deadline": "2s"},
        keep_warm="2s",
    )
    v1 = await application("v1")
    await world.release("v1", [v1.address])
    running = await load(*world.entries(), rate=100.0)
    await world.deploy("v2", [(await application("v2")).address])
    async with AsyncExitStack() as held, aiohttp.ClientSession() as client:
        sockets = [
            await held.enter_async_context(client.ws_connect(f"{world.entry(gateway)}/ws"))
            for gateway in GATEWAYS
        ]

        async def alive() -> None:
            for socket in sockets:
                await socket.send_str("still here")
                assert "still here" in await socket.receive_str(timeout=5)

        await world.promote()
        draining = await world.when(
            lambda s: of(s, 1).status == "draining" and "has 1 requests under way" in s.activity
        )
        assert of(draining, 1).active_requests >= 2
        await alive()

        standby = await world.until(1, "standby")
        note = of(standby, 1).note
        assert note.startswith("deadline passed with 2 requests still under way"), note
        assert [b.active_requests for p in standby.proxies for b in p.backends if b.revision == 1] == [1, 1]
        await alive()

        await world.when(lambda s: of(s, 1).status == "retired" and "has 1 requests under way" in s.activity)
        await alive()

        withdrawn = await world.happens("withdrawn")
        assert "with 2 requests still under way" in withdrawn.message
        await world.when(lambda s: "is withdrawn, with 2 requests still under way" in s.activity)
        await alive()

        released = await world.happens("released")
        assert released.message.endswith(
            "its instances may be stopped, which cuts off 2 requests still under way."
        ), released.message
        await alive()

        v1.child.send(signal.SIGKILL)
        ended = await asyncio.gather(*(socket.receive(timeout=5) for socket in sockets))
        assert all(message.type is not aiohttp.WSMsgType.TEXT for message in ended)
    report = await running.stop()
    assert report.failed == 0, report.examples
    assert report.connections.lost == 0
