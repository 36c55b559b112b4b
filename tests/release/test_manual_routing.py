"""Chosen users go to the candidate while it is one, and a release still loses nothing."""

from __future__ import annotations

import asyncio

import aiohttp

from bluegreen.admin.v1 import admin_pb2 as pb
from tests.release.world import GATEWAYS, SHOP, World
from tests.support.fixtures import StartApplication, StartLoad

SECRET = "only-testers-know-this"


async def met(world: World, **headers: str) -> set[str]:
    """The versions that a request meets, through each gateway."""
    async with aiohttp.ClientSession() as client:

        async def ask(gateway: str) -> str:
            async with client.get(world.entry(gateway), headers=headers) as answer:
                return answer.headers["x-version"]

        return set(await asyncio.gather(*map(ask, GATEWAYS)))


async def test_chosen_users_reach_the_candidate_until_all_do(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    await world.start(
        strategy={"steps": [50, 100], "pause": "manual"},
        manual_routing={"header": "x-candidate", "value": SECRET},
    )
    chosen = {"x-candidate": SECRET}
    await world.release("v1", [(await application("v1")).address])
    running = await load(*world.entries(), rate=100.0)
    assert await met(world, **chosen) == {"v1"}
    await world.deploy("v2", [(await application("v2")).address])
    for _ in range(5):
        assert (await met(world, **chosen), await met(world)) == ({"v2"}, {"v1"})
    assert await met(world, **{"x-candidate": "guessed"}) == {"v1"}

    await world.promote()
    await world.when(lambda s: s.rollout.percent == 50 and s.rollout.state == "holding")
    for _ in range(5):
        assert await met(world, **chosen) == {"v2"}
    slow = [asyncio.create_task(_slow(world, gateway, chosen)) for gateway in GATEWAYS]
    await world.promote()
    await world.until(2, "active")
    assert await met(world, **chosen) == await met(world) == {"v2"}
    assert await asyncio.gather(*slow) == ["v2", "v2"], "what was under way is not lost with the choice"

    status = await world.until(1, "standby")
    assert await met(world, **chosen) == {"v2"}, "a version on its way out is not to be chosen"
    whole = await running.stop()
    assert whole.failed == 0, whole.examples
    assert SECRET not in str(status)
    async for event in world.admin.ListEvents(pb.ListEventsRequest(service=SHOP)):
        assert SECRET not in str(event)


async def _slow(world: World, gateway: str, headers: dict[str, str]) -> str:
    async with (
        aiohttp.ClientSession() as client,
        client.get(f"{world.entry(gateway)}/slow?seconds=3", headers=headers) as answer,
    ):
        assert answer.status == 200
        return answer.headers["x-version"]


async def test_who_is_chosen_keeps_a_version_from_being_thought_idle(
    world: World, application: StartApplication
) -> None:
    """A superseded candidate is withdrawn only once its chosen users are gone."""
    await world.start(
        routes=[{"prefix": "/", "websocket": True}],
        manual_routing={"header": "x-candidate", "value": SECRET},
    )
    await world.release("v1", [(await application("v1")).address])
    await world.deploy("v2", [(await application("v2")).address])
    async with (
        aiohttp.ClientSession(headers={"x-candidate": SECRET}) as client,
        client.ws_connect(f"{world.entry('edge')}/ws") as socket,
    ):
        await world.deploy("v3", [(await application("v3")).address])
        emptying = await world.when(lambda s: "1 requests under way" in s.activity, 10)
        assert "v2 (revision 2) empties" in emptying.activity
        await socket.send_str("still here")
        assert "still here" in await socket.receive_str()
    await world.when(lambda s: all(d.revision != 2 for d in s.deployments))
