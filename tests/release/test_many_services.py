"""Services are independent of one another, also on the proxies that they share."""

from __future__ import annotations

import asyncio

from bluegreen.admin.v1 import admin_pb2 as pb
from tests.release.world import ORIGIN, World
from tests.support.fixtures import StartApplication, StartLoad


async def accept_and_say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def test_a_cluster_that_does_not_warm_stalls_no_other_service(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    slow = {"path": "/healthz", "timeout": "60s", "interval": "60s"}
    await world.start(
        domains=["shop.example.com"],
        others={"stuck": {"domains": ["stuck.example.com"], "health_check": slow}},
    )
    await world.release("v1", [(await application("v1")).address])
    running = await load(*world.entries(), rate=100.0, authority="shop.example.com")
    silent = await asyncio.start_server(accept_and_say_nothing, "127.0.0.1", 0)
    async with silent:
        port = silent.sockets[0].getsockname()[1]
        await world.admin.Deploy(
            pb.DeployRequest(origin=ORIGIN, service="stuck", version="s1", endpoints=[f"127.0.0.1:{port}"])
        )
        stuck = await world.admin.GetStatus(pb.GetStatusRequest(service="stuck"))
        assert [d.status for d in stuck.deployments] == ["deploying"]

        # While every Envoy withholds its acknowledgement of all clusters:
        async with asyncio.timeout(10):
            await world.release("v2", [(await application("v2")).address])
        status = await world.finished(await world.rollback())
        assert status.rollout.seconds_to_last_ack < 5.0
        stuck = await world.admin.GetStatus(pb.GetStatusRequest(service="stuck"))
        assert [d.status for d in stuck.deployments] == ["deploying"], "it is still stuck"
    report = await running.stop()
    assert report.failed == 0, report.examples
    assert set(report.versions) == {"v1", "v2"}


async def test_many_services_release_at_once(world: World, application: StartApplication) -> None:
    names = [f"service-{number}" for number in range(12)]
    await world.start(others={name: {"domains": [f"{name}.example.com"]} for name in names})
    one, other = await application("v1"), await application("v2")

    async def release(name: str, version: str, address: str) -> float:
        request = pb.DeployRequest(origin=ORIGIN, service=name, version=version, endpoints=[address])
        revision = (await world.admin.Deploy(request)).deployment_revision
        await world.until(revision, "ready", service=name)
        await world.admin.Promote(pb.PromoteRequest(origin=ORIGIN, service=name, full=True))
        status = await world.until(revision, "active", service=name)
        seconds: float = status.rollout.seconds_to_last_ack
        return seconds

    await asyncio.gather(*(release(name, "v1", one.address) for name in names))
    slowest = max(await asyncio.gather(*(release(name, "v2", other.address) for name in names)))
    assert slowest < 30.0
