"""What is shown is of now: not what a proxy said before it was gone; and what a proxy refuses is shown."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from pathlib import Path

import aiohttp

from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.app.demo.envoy_process import EnvoyOptions, EnvoyProcess, find_envoy
from bluegreen.app.demo.ports import free_port
from bluegreen.app.demo.processes import ChildProcesses, Command
from bluegreen.model.endpoint import Endpoint
from bluegreen.switches.envoy.bootstrap import BootstrapOptions, as_yaml, bootstrap
from tests.release.world import LOOPBACK, SHOP, World
from tests.support.fixtures import StartApplication


def of(status: pb.ServiceStatus, proxy: str) -> pb.ProxyView:
    return next(each for each in status.proxies if each.proxy == proxy)


async def test_what_a_proxy_had_under_way_when_it_went_is_not_shown_as_of_now(
    world: World, application: StartApplication
) -> None:
    cable = await world.lay_cable("sidecar")
    await world.start()
    await world.release("v1", [(await application("v1")).address])
    async with aiohttp.ClientSession() as client:
        slow = asyncio.ensure_future(client.get(f"{world.entry('sidecar')}/slow?seconds=8"))
        there = await world.when(lambda s: s.deployments[0].active_requests == 1)
        assert [b.active_requests for b in of(there, "sidecar-1").backends] == [1]
        assert there.deployments[0].silent_proxies == 0
        await cable.cut()
        gone = await world.when(lambda s: not of(s, "sidecar-1").connected)
        assert (gone.deployments[0].active_requests, gone.deployments[0].silent_proxies) == (0, 1)
        assert [(b.active_requests, b.healthy) for b in of(gone, "sidecar-1").backends] == [(-1, -1)]
        assert gone.deployments[0].requests == there.deployments[0].requests, "what was counted, was"
        await cable.mend()
        await world.when(lambda s: s.deployments[0].active_requests == 1)
        assert (await slow).status == 200


async def test_a_listener_that_a_proxy_cannot_open_is_shown(
    world: World, application: StartApplication
) -> None:
    await world.start()
    await world.release("v1", [(await application("v1")).address])
    with socket.create_server((LOOPBACK, 0)) as taken:
        described = world.described()
        described["gateways"]["edge"]["listen"] = f"{LOOPBACK}:{taken.getsockname()[1]}"
        await world.apply(described)
        refused = await world.when(lambda s: of(s, "edge-1").listener_rejected != "")
        assert "cannot bind" in of(refused, "edge-1").listener_rejected
        assert not of(refused, "sidecar-1").listener_rejected
    await world.apply(world.described())
    await world.when(lambda s: of(s, "edge-1").listener_rejected == "")


async def test_who_waits_goes_on_waiting_across_a_crash(
    world: World, application: StartApplication, children: ChildProcesses
) -> None:
    control_plane = await world.start(strategy={"steps": [50, 100], "pause": "8s"})
    await world.release("v1", [(await application("v1")).address])
    await world.deploy("v2", [(await application("v2")).address])
    promote = (sys.executable, "-m", "bluegreen", "promote", SHOP, "--wait")
    waiting = await children.start(
        Command("promote", (*promote, f"--admin={LOOPBACK}:{world.ports.admin}", "--timeout=60s"))
    )
    await world.when(lambda s: s.rollout.percent == 50)
    control_plane.send(signal.SIGKILL)
    await control_plane.exited()
    # Longer than a call is tried that begins: it is the waiting that goes on.
    await asyncio.sleep(6)
    await world.start_control_plane()
    assert await waiting.exited() == 0, waiting.last_lines()
    told = waiting.last_lines(100)
    assert "Trying again for 60 s" in told
    assert "v2 has all traffic of shop" in told


async def test_two_envoys_with_one_node_id_are_told(
    world: World, application: StartApplication, children: ChildProcesses
) -> None:
    await world.start()
    await world.release("v1", [(await application("v1")).address])
    assert not any(proxy.has_namesake for proxy in (await world.status()).proxies)
    options = BootstrapOptions(
        gateway="edge",
        node_id="edge-1",
        control_plane=Endpoint(LOOPBACK, world.ports.xds),
        admin=Endpoint(LOOPBACK, free_port()),
        flush_interval=0.25,
    )
    other = await EnvoyProcess.start(children, bootstrap(options), EnvoyOptions(name="namesake"))
    told = await world.when(lambda s: of(s, "edge-1").has_namesake)
    assert not of(told, "sidecar-1").has_namesake
    listed = (await world.admin.ListProxies(pb.ListProxiesRequest())).proxies
    assert [(each.id, each.has_namesake) for each in listed] == [("edge-1", True), ("sidecar-1", False)]
    await other.stop()
    await world.when(lambda s: not of(s, "edge-1").has_namesake)


async def test_the_two_processes_of_a_hot_restart_are_one_proxy(
    world: World, application: StartApplication, children: ChildProcesses, tmp_path: Path
) -> None:
    await world.start_control_plane()
    await world.apply(world.described())
    options = BootstrapOptions(
        gateway="edge",
        node_id="edge-1",
        control_plane=Endpoint(LOOPBACK, world.ports.xds),
        admin=Endpoint(LOOPBACK, free_port()),
        flush_interval=0.25,
    )
    config, base_id = tmp_path / "envoy.yaml", tmp_path / "base-id"
    config.write_text(as_yaml(bootstrap(options)))
    envoy = (str(find_envoy()), "-c", str(config), "--concurrency", "1", "--parent-shutdown-time-s", "4")
    old = await children.start(
        Command("old", (*envoy, "--use-dynamic-base-id", "--base-id-path", str(base_id)))
    )
    await world.release("v1", [(await application("v1")).address])
    shared = ("--base-id", base_id.read_text().strip(), "--restart-epoch", "1")
    await children.start(Command("new", (*envoy, *shared)))
    told: list[bool] = []

    def gone_on(status: pb.ServiceStatus) -> bool:
        told.append(of(status, "edge-1").has_namesake)
        return old.returncode is not None

    await world.when(gone_on)
    assert not any(told)
    assert await old.exited() == 0
    await world.when(lambda s: of(s, "edge-1").connected and not of(s, "edge-1").silent)
