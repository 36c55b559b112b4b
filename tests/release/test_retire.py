"""A service that is given up while it has traffic: what is under way is answered, what comes gets a 404, and
then it can be removed."""

from __future__ import annotations

import asyncio

import aiohttp
import grpc
import pytest

from bluegreen.admin.v1 import admin_pb2 as pb
from tests.release.world import GATEWAYS, ORIGIN, SHOP, World
from tests.support.fixtures import StartApplication

BLOG = {"blog": {"domains": ["blog.example.com"]}}


async def test_a_service_is_given_up_and_removed(world: World, application: StartApplication) -> None:
    await world.start(drain={"grace": "200ms", "deadline": "30s"})
    await world.apply(world.described(others=BLOG))
    await world.release("v1", [(await application("v1")).address])
    await world.release("v2", [(await application("v2")).address])

    async with aiohttp.ClientSession() as client:

        async def get(path: str) -> int:
            async with client.get(world.entry("edge") + path) as answer:
                await answer.read()
                return answer.status

        slow = asyncio.ensure_future(get("/slow?seconds=3"))
        await world.when(lambda s: any(d.revision == 2 and d.active_requests == 1 for d in s.deployments))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await world.admin.Retire(pb.RetireRequest(origin=ORIGIN, service=SHOP))
        assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert "requests/s, 1 under way" in (refused.value.details() or "")
        assert await get("/") == 200

        await world.admin.Retire(pb.RetireRequest(origin=ORIGIN, service=SHOP, confirmed=True))
        await world.when(lambda s: all(proxy.acknowledged for proxy in s.proxies))
        assert await get("/") == 404
        with pytest.raises(grpc.aio.AioRpcError) as too_early:
            await world.apply(world.described(others=BLOG) | {"services": {}}, prune=True)
        assert "cannot be removed yet" in (too_early.value.details() or "")
        assert await slow == 200, "what was under way is answered"

    await world.when(lambda s: not s.deployments)
    kept = {name: {"gateways": list(GATEWAYS), **each} for name, each in BLOG.items()}
    await world.apply(world.described() | {"services": kept}, prune=True)
    services = (await world.admin.ListServices(pb.ListServicesRequest())).services
    assert [each.service for each in services] == ["blog"]
    released = [each.message for each in await world.events() if each.what == "released"]
    assert len(released) == 2, "the way back as well"

    await world.apply(world.described(others=BLOG))
    revision = await world.release("v3", [(await application("v3")).address])
    assert revision == 3, "numbers are never given twice"
