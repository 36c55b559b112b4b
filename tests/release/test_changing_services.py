"""The service file changes while a rollout is open: safe, or refused with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp
import grpc
import pytest

from bluegreen.admin.v1 import admin_pb2 as pb
from tests.release.world import GATEWAYS, LOOPBACK, ORIGIN, SHOP, World
from tests.support.fixtures import StartApplication, StartLoad

STEPS: dict[str, Any] = {"strategy": {"steps": [50, 100], "pause": "manual"}}


async def refusal(world: World, described: Mapping[str, object], *, prune: bool = False) -> str:
    """What an apply that is refused is told."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await world.apply(described, prune=prune)
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    return refused.value.details() or ""


def with_gateways(described: dict[str, dict[str, Any]], *names: str) -> dict[str, dict[str, Any]]:
    """The shop on these gateways instead; another one that is not there yet listens nowhere in particular."""
    added = {name: {"listen": f"{LOOPBACK}:9"} for name in names if name not in GATEWAYS}
    shop = described["services"][SHOP] | {"gateways": list(names)}
    return {
        "gateways": {**described["gateways"], **added},
        "services": {**described["services"], SHOP: shop},
    }


async def test_a_service_keeps_its_gateways_while_a_rollout_is_open_and_those_that_have_proxies(
    world: World, application: StartApplication
) -> None:
    await world.start(**STEPS)
    described = world.described(**STEPS)
    await world.release("v1", [(await application("v1")).address])
    await world.deploy("v2", [(await application("v2")).address])
    rollout = await world.promote()
    await world.when(lambda s: s.rollout.state == "holding")

    for names in ((*GATEWAYS, "third"), ("edge",)):
        told = await refusal(world, with_gateways(described, *names))
        assert f"The gateways of shop cannot change while rollout {rollout} is open." in told
    assert "cannot be removed while it has deployments" in await refusal(
        world, {**described, "services": {}}, prune=True
    )

    await world.promote()
    await world.finished(rollout)
    told = await refusal(world, with_gateways(described, "edge"))
    assert "shop is active on gateway sidecar" in told
    assert "proxies forget" in told
    await world.apply(with_gateways(described, *GATEWAYS, "third"))
    assert (await world.status()).gateways == [*GATEWAYS, "third"], "one more, without proxies, takes nothing"


async def test_services_come_and_go_during_a_rollout(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    await world.start(**STEPS)
    await world.release("v1", [(await application("v1")).address])
    await world.deploy("v2", [(await application("v2")).address])
    running = await load(*world.entries(), rate=200.0)
    rollout = await world.promote()
    await world.when(lambda s: s.rollout.state == "holding")

    blog = (await application("blog")).address
    added = world.described(others={"blog": {"domains": ["blog.example.com"]}}, **STEPS)
    deploy = pb.DeployRequest(origin=ORIGIN, service="blog", version="b1", endpoints=[blog])
    for _ in range(3):
        await world.apply(added)
        revision = (await world.admin.Deploy(deploy)).deployment_revision
        await world.until(revision, "ready", service="blog")
        await world.admin.Abort(pb.CommandRequest(origin=ORIGIN, service="blog"))
        await world.apply(world.described(**STEPS), prune=True)
        services = (await world.admin.ListServices(pb.ListServicesRequest())).services
        assert [each.service for each in services] == [SHOP]

    await world.apply(added)
    revision = (await world.admin.Deploy(deploy)).deployment_revision
    await world.until(revision, "ready", service="blog")
    await world.admin.Promote(pb.PromoteRequest(origin=ORIGIN, service="blog"))
    await world.until(revision, "active", service="blog")
    assert "blog cannot be removed" in await refusal(world, world.described(**STEPS), prune=True)
    async with (
        aiohttp.ClientSession(headers={"host": "blog.example.com"}) as client,
        client.get(world.entry("edge")) as answer,
    ):
        assert answer.headers["x-version"] == "blog"

    still = await world.status()
    assert (still.rollout.id, still.rollout.state, still.rollout.percent) == (rollout, "holding", 50)
    await world.promote()
    await world.finished(rollout)
    report = await running.stop()
    assert report.failed == 0, report.examples
    assert report.connections.lost == 0
    assert set(report.versions) == {"v1", "v2"}
