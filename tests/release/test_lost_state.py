"""A control plane that has lost its state does not take away what the proxies have."""

from __future__ import annotations

import signal
from pathlib import Path

from bluegreen.admin.v1 import admin_pb2 as pb
from tests.release.world import ORIGIN, World
from tests.support.fixtures import StartApplication, StartLoad


async def test_a_new_database_costs_no_request(
    world: World, application: StartApplication, load: StartLoad, tmp_path: Path
) -> None:
    control_plane = await world.start()
    address = (await application("v1")).address
    await world.release("v1", [address])
    running = await load(*world.entries(), rate=100.0)
    control_plane.send(signal.SIGKILL)
    await control_plane.exited()
    for file in tmp_path.glob("bluegreen.db*"):
        if file.is_file():
            file.unlink()

    await world.start_control_plane()
    await world.apply(world.described())
    await world.admin.Deploy(
        pb.DeployRequest(origin=ORIGIN, service="shop", version="v1", endpoints=[address])
    )
    for _ in range(200):
        proxies = (await world.admin.ListProxies(pb.ListProxiesRequest())).proxies
        # One that asked before the gateways were there was refused for that, and asks again.
        refused = ["right database" in each.refused for each in proxies]
        if refused == [True, True]:
            break
        await running.until(lambda report: True)
    assert refused == [True, True], proxies
    for _ in range(8):
        await running.until(lambda report: True)
    report = await running.stop()
    assert report.failed == 0, report.examples

    proxy = world.proxies["edge"]
    await proxy.stop()
    await (await world.start_proxy("edge")).ready()
    known = (await world.admin.ListProxies(pb.ListProxiesRequest(gateway="edge"))).proxies
    assert [(each.id, each.connected) for each in known if not each.refused] == [("edge-1", True)]
