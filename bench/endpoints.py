"""Versions with very many instances: what they cost the control plane, and how soon an Envoy hears of one."""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.control_plane import LOOPBACK, PATIENCE, ControlPlane
from bench.flushes import GATEWAY
from bench.limits import allow_many_files
from bench.world import SHOP, SMALL_INTERVAL, gateway_entry, service_entry, world
from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.app.demo.envoy_process import EnvoyOptions, EnvoyProcess
from bluegreen.app.demo.ports import free_port
from bluegreen.model.endpoint import Endpoint
from bluegreen.switches.envoy.bootstrap import BootstrapOptions, bootstrap

LOOK = 0.002
"""Seconds between two questions to the Envoy."""


@dataclass(frozen=True, slots=True)
class Change:
    """One instance more or less. Seconds: `known`, from the file that says so to the control plane's record;
    `reached`, from that record until the Envoy uses it; `cpu`: of the control plane, over both."""

    known: float
    reached: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Endpoints:
    """From `deploy` until all instances of the idle environment are healthy to the Envoy, in seconds; `cpu`
    is the control plane's. Of the changes, the medians."""

    instances: int
    ready: float
    cpu: float
    change: Change
    slowest: float


async def many_endpoints(instances: int, changes: int) -> Endpoints:
    """One Envoy; the endpoints come from files, as they would from a cloud's."""
    allow_many_files()
    port = free_port()
    blue, green = ([f"127.{n}.{i >> 8}.{i & 255}:{port}" for i in range(instances)] for n in (1, 2))
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bluegreen-bench-")))
        await stack.enter_async_context(_listening(blue + green, port))
        children, control_plane = await stack.enter_async_context(world())
        write(directory / "blue.json", blue)
        write(directory / "green.json", green)
        file = {"path": f"{directory}/{{environment}}.json", "interval": "100ms"}
        service = service_entry(
            SHOP,
            instances={"count": instances, "file": file},
            # More often, and answering the checks is what the machine does most of the time.
            health_check={"type": "connect", "interval": "10s"},
        )
        await control_plane.apply({SHOP: service}, {GATEWAY: gateway_entry()})
        options = BootstrapOptions(
            gateway=GATEWAY,
            node_id=f"{GATEWAY}-1",
            control_plane=Endpoint.parse(control_plane.xds),
            admin=Endpoint(LOOPBACK, 0),
            flush_interval=SMALL_INTERVAL,
        )
        envoy = await EnvoyProcess.start(children, bootstrap(options), EnvoyOptions(GATEWAY))
        await envoy.ready()
        await control_plane.release(SHOP, "v1")
        begun, cpu = time.monotonic(), control_plane.cpu()
        revision = await control_plane.deploy(SHOP, "v2")
        ready, cpu = time.monotonic() - begun, control_plane.cpu() - cpu
        measured = []
        for number in range(changes):
            listed = green[:-1] if number % 2 == 0 else green
            measured.append(await _change(control_plane, envoy, revision, (directory / "green.json", listed)))
        return Endpoints(instances, ready, cpu, _median(measured), max(each.reached for each in measured))


def write(path: Path, endpoints: Sequence[str]) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(endpoints), encoding="utf-8")
    draft.replace(path)


async def _change(
    control_plane: ControlPlane, envoy: EnvoyProcess, revision: int, change: tuple[Path, Sequence[str]]
) -> Change:
    path, listed = change
    await asyncio.sleep(1.0)  # what the change before has left is done
    following = asyncio.create_task(_recorded(control_plane, str(len(listed))))
    using = asyncio.create_task(_used(envoy, revision, len(listed)))
    begun, cpu = time.time(), control_plane.cpu()
    write(path, listed)
    recorded, used = await following, await using
    return Change(recorded - begun, used - recorded, control_plane.cpu() - cpu)


async def _recorded(control_plane: ControlPlane, instances: str) -> float:
    """When it is next recorded that there are so many; seconds since the epoch."""
    begun = time.time()
    request = pb.ListEventsRequest(service=SHOP, follow=True)
    async with asyncio.timeout(PATIENCE):
        async for event in control_plane.admin.ListEvents(request):
            if event.what == "instances-changed" and event.to == instances and event.at >= begun:
                return float(event.at)
    raise EOFError("the events ended")


async def _used(envoy: EnvoyProcess, revision: int, instances: int) -> float:
    """When the Envoy has so many instances of a revision; seconds since the epoch."""
    pattern = rf"^cluster\.bluegreen/{SHOP}/{revision}\.membership_total$"
    async with asyncio.timeout(PATIENCE):
        while set((await envoy.admin.stats(pattern)).values()) != {instances}:  # noqa: ASYNC110
            await asyncio.sleep(LOOK)
    return time.time()


def _median(changes: Sequence[Change]) -> Change:
    return Change(
        statistics.median(each.known for each in changes),
        statistics.median(each.reached for each in changes),
        statistics.mean(each.cpu for each in changes),  # in ticks of 10 ms
    )


@asynccontextmanager
async def _listening(endpoints: Sequence[str], port: int) -> AsyncIterator[None]:
    """Instances that take connections, which is all that a health check asks for."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    hosts = [Endpoint.parse(each).host for each in endpoints]
    async with await asyncio.start_server(accept, hosts, port, backlog=64):
        yield
