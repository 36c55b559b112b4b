"""A release in steps whose users are told apart: each meets one version at each step, at every gateway."""

from __future__ import annotations

import asyncio

import aiohttp

from tests.release.world import GATEWAYS, World
from tests.support.fixtures import StartApplication

USERS = 400


async def sides(world: World, gateway: str) -> dict[int, str]:
    """Which version each user meets."""
    gate = asyncio.Semaphore(20)

    async def ask(user: int) -> str:
        async with gate, client.get(world.entry(gateway), headers={"x-user": f"user-{user}"}) as answer:
            assert answer.status == 200
            return answer.headers["x-version"]

    async with aiohttp.ClientSession() as client:
        return dict(enumerate(await asyncio.gather(*map(ask, range(USERS)))))


async def test_in_a_release_in_steps_each_user_changes_the_version_once(
    world: World, application: StartApplication
) -> None:
    steps = [1, 10, 50, 75, 100]
    await world.start(strategy={"steps": steps, "pause": "manual"}, affinity={"header": "x-user"})
    await world.release("v1", [(await application("v1")).address])
    await world.deploy("v2", [(await application("v2")).address])
    moved: set[int] = set()
    for percent in steps:
        await world.promote()
        await world.when(
            lambda s, p=percent: s.rollout.percent == p and s.rollout.state in ("holding", "completed")
        )
        edge, sidecar = [await sides(world, gateway) for gateway in GATEWAYS]
        assert edge == sidecar, "both gateways put a user on the same side"
        here = {user for user, version in edge.items() if version == "v2"}
        assert moved <= here, "nobody moves back"
        assert abs(len(here) / USERS - percent / 100) < 0.08
        moved = here
    await world.finished(await world.rollback())
    assert set((await sides(world, "edge")).values()) == {"v1"}
