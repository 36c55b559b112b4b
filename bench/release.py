"""Whole releases through the control plane as it is served: how fast the traffic of a fleet moves, and what
the work grows with."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.control_plane import LOOPBACK, ControlPlane, serving
from bench.flushes import GATEWAY
from bench.processes import Process, process
from bench.pulse import Pulse, pulse
from bluegreen.app.demo.envoy_process import EnvoyOptions, EnvoyProcess
from bluegreen.app.demo.ports import free_port
from bluegreen.app.demo.processes import ChildProcesses
from bluegreen.model.endpoint import Endpoint
from bluegreen.switches.envoy.bootstrap import BootstrapOptions, bootstrap

SHOP = "shop"
LARGE_INTERVAL = 5.0
"""Seconds between two flushes of a proxy in a large fleet."""
SMALL_INTERVAL = 1.0

V1, V2, V3 = (f"{LOOPBACK}:{port}" for port in (9, 10, 11))
"""The instances of a version, which simulated proxies never call."""

Ask = Callable[..., Awaitable[dict[str, float]]]


@dataclass(frozen=True, slots=True)
class Move:
    """One cutover. Seconds: `acknowledged` and `skew` as the control plane tells them; `received` from the
    command to the last proxy, as the proxies' own process saw it (0: not asked); `finished` until whoever
    gave the command is told that it is done. `cpu`: of the control plane."""

    acknowledged: float
    skew: float
    received: float
    finished: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Cutovers:
    """Of one fleet, medians over some rounds. Seconds."""

    proxies: str
    connect: float
    ready: float
    ready_cpu: float
    promote: Move
    rollback: Move
    longest_answer: float


@dataclass(frozen=True, slots=True)
class WeightChange:
    """CPU of the control plane for one change of one service's weights, over all proxies; seconds."""

    services: int
    proxies: int
    cpu: float
    acknowledged: float


@dataclass(frozen=True, slots=True)
class AtOnce:
    """Many services that move at the same time. Seconds; answers are those of the control plane's probe."""

    services: int
    proxies: int
    ready: float
    moved: float
    cpu: float
    answers: Pulse


@dataclass(frozen=True, slots=True)
class Listening:
    """The control plane under its fleet's statistics. `share` of one core; `flush` in bytes."""

    proxies: int
    waiting: bool
    flushes: float  # a second
    flush: int
    share: float
    longest_answer: float


@dataclass(frozen=True, slots=True)
class Played:
    """With what a story is played: an instance of each version, and simulated proxies, for what they see."""

    backends: tuple[str, str]
    fleet: Process | None = None
    proxies: int = 0


async def real_cutovers(rounds: int) -> Cutovers:
    """Two Envoys of two gateways."""
    async with _world() as (children, control_plane), _backends() as backends:
        gateways = ("edge", "sidecar")
        await control_plane.apply(
            {SHOP: {"gateways": list(gateways), "domains": ["*"]}}, {name: _gateway() for name in gateways}
        )
        begun = time.monotonic()
        for gateway in gateways:
            options = BootstrapOptions(
                gateway, f"{gateway}-1", Endpoint.parse(control_plane.xds), admin=Endpoint(LOOPBACK, 0)
            )
            envoy = await EnvoyProcess.start(children, bootstrap(options), EnvoyOptions(gateway))
            await envoy.ready()
        return await _cutovers("2 Envoys", time.monotonic() - begun, control_plane, Played(backends), rounds)


async def simulated_cutovers(proxies: int, rounds: int) -> Cutovers:
    async with _world() as (_, control_plane), process("bench.simulated_fleet") as fleet:
        await control_plane.apply({SHOP: _service(SHOP)}, {GATEWAY: _gateway()})
        connect = await _connect(fleet, control_plane, proxies, LARGE_INTERVAL)
        played = Played((V1, V2), fleet, proxies)
        return await _cutovers(f"{proxies:,} simulated", connect, control_plane, played, rounds)


async def _cutovers(
    proxies: str, connect: float, control_plane: ControlPlane, played: Played, rounds: int
) -> Cutovers:
    await control_plane.release(SHOP, "v1", played.backends[0])
    begun, cpu = time.monotonic(), control_plane.cpu()
    await control_plane.deploy(SHOP, "v2", played.backends[1])
    ready, ready_cpu = time.monotonic() - begun, control_plane.cpu() - cpu
    promotions, rollbacks = [], []
    async with pulse(control_plane.http) as answers:
        for _ in range(rounds):
            promotions.append(await _move(control_plane, control_plane.promote, played))
            rollbacks.append(await _move(control_plane, control_plane.rollback, played))
    return Cutovers(
        proxies, connect, ready, ready_cpu, _median(promotions), _median(rollbacks), answers.longest
    )


async def _move(
    control_plane: ControlPlane, command: Callable[[str], Awaitable[int]], played: Played
) -> Move:
    await asyncio.sleep(1.0)  # what the move before has left is done
    if played.fleet is not None:
        await played.fleet.ask(mark=True)
    begun, cpu = time.monotonic(), control_plane.cpu()
    rollout = await command(SHOP)
    await control_plane.until(SHOP, rollout, "completed")
    finished = time.monotonic() - begun
    moved = await played.fleet.ask(moved=played.proxies) if played.fleet is not None else None
    cpu = control_plane.cpu() - cpu
    told = (await control_plane.status(SHOP)).rollout
    received = moved["last"] - begun if moved is not None else 0.0
    return Move(told.seconds_to_last_ack, told.skew_seconds, received, finished, cpu)


def _median(moves: list[Move]) -> Move:
    return Move(
        statistics.median(each.acknowledged for each in moves),
        statistics.median(each.skew for each in moves),
        statistics.median(each.received for each in moves),
        statistics.median(each.finished for each in moves),
        statistics.median(each.cpu for each in moves),
    )


async def weight_change(services: int, proxies: int, changes: int = 50) -> WeightChange:
    """One service among many on one gateway moves by one percent at a time. Only its own statistics are
    reported, so that the change is measured and not the reports about all the others."""
    steps = {"strategy": {"steps": [*range(1, changes + 1), 100]}}
    names = [SHOP, *(f"service-{number:04}" for number in range(1, services))]
    async with _world() as (_, control_plane), process("bench.simulated_fleet") as fleet:
        await control_plane.apply({name: _service(name, **steps) for name in names}, {GATEWAY: _gateway()})
        await _connect(fleet, control_plane, 1, SMALL_INTERVAL)
        await _at_once(names, lambda name: control_plane.release(name, "v1", V1))
        await _connect(fleet, control_plane, proxies - 1, SMALL_INTERVAL, [SHOP])
        await control_plane.deploy(SHOP, "v2", V2)
        rollout = await control_plane.promote(SHOP, full=False)
        await control_plane.until(SHOP, rollout, "1")
        idle = await _cpu_over(control_plane, asyncio.sleep(5.0))
        begun, cpu = time.monotonic(), control_plane.cpu()
        for percent in range(2, changes + 1):
            await control_plane.promote(SHOP, full=False)
            await control_plane.until(SHOP, rollout, str(percent))
        seconds = time.monotonic() - begun
        spent = control_plane.cpu() - cpu - idle / 5.0 * seconds
        return WeightChange(services, proxies, spent / (changes - 1), seconds / (changes - 1))


async def at_once(services: int, proxies: int) -> AtOnce:
    names = [f"service-{number:04}" for number in range(services)]
    async with _world() as (_, control_plane), process("bench.simulated_fleet") as fleet:
        await control_plane.apply({name: _service(name) for name in names}, {GATEWAY: _gateway()})
        await _connect(fleet, control_plane, proxies, SMALL_INTERVAL)
        await _at_once(names, lambda name: control_plane.release(name, "v1", V1))
        cpu = control_plane.cpu()
        async with pulse(control_plane.http) as answers:
            begun = time.monotonic()
            await _at_once(names, lambda name: control_plane.deploy(name, "v2", V2))
            ready = time.monotonic() - begun

            async def move(name: str) -> None:
                await control_plane.until(name, await control_plane.promote(name), "completed")

            begun = time.monotonic()
            await _at_once(names, move)
            moved = time.monotonic() - begun
        return AtOnce(services, proxies, ready, moved, control_plane.cpu() - cpu, answers)


async def listening(proxies: int, seconds: float) -> list[Listening]:
    """First when nothing is under way, then with a service that waits for what no proxy will report."""
    async with _world() as (_, control_plane), process("bench.simulated_fleet") as fleet:
        await control_plane.apply({SHOP: _service(SHOP)}, {GATEWAY: _gateway()})
        await _connect(fleet, control_plane, proxies, LARGE_INTERVAL)
        await control_plane.release(SHOP, "v1", V1)
        await control_plane.deploy(SHOP, "v2", V2)
        figures = [await _listen(control_plane, fleet, proxies, seconds, waiting=False)]
        await _connect(fleet, control_plane, 1, LARGE_INTERVAL, reported=[])
        waiting = asyncio.create_task(control_plane.deploy(SHOP, "v3", V3))
        await asyncio.sleep(1.0)
        figures.append(await _listen(control_plane, fleet, proxies, seconds, waiting=True))
        waiting.cancel()
        return figures


async def _listen(
    control_plane: ControlPlane, fleet: Process, proxies: int, seconds: float, *, waiting: bool
) -> Listening:
    before, begun = await fleet.ask(flushes=True), time.monotonic()
    async with pulse(control_plane.http) as answers:
        cpu = await _cpu_over(control_plane, asyncio.sleep(seconds))
    after, took = await fleet.ask(flushes=True), time.monotonic() - begun
    flushes = after["flushes"] - before["flushes"]
    size = round((after["bytes"] - before["bytes"]) / max(1, flushes))
    return Listening(proxies, waiting, flushes / took, size, cpu / seconds, answers.longest)


async def _connect(
    fleet: Process,
    control_plane: ControlPlane,
    proxies: int,
    interval: float,
    reported: list[str] | None = None,
) -> float:
    """Seconds until the last of them has all four types."""
    answer = await fleet.ask(connect=proxies, address=control_plane.xds, interval=interval, reported=reported)
    if answer["refused"]:
        raise RuntimeError(f"{answer['refused']} proxies were refused")
    return float(answer["seconds"])


async def _at_once(names: list[str], move: Callable[[str], Awaitable[object]]) -> None:
    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(_awaited(move(name)))


async def _awaited(work: Awaitable[object]) -> None:
    await work


async def _cpu_over(control_plane: ControlPlane, work: Awaitable[None]) -> float:
    before = control_plane.cpu()
    await work
    return control_plane.cpu() - before


@asynccontextmanager
async def _world() -> AsyncIterator[tuple[ChildProcesses, ControlPlane]]:
    async with AsyncExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="bluegreen-bench-"))
        children = await stack.enter_async_context(ChildProcesses(Path(directory)))
        yield children, await stack.enter_async_context(serving(children))


@asynccontextmanager
async def _backends() -> AsyncIterator[tuple[str, str]]:
    """Two that take connections, which is all that a health check asks for."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with (
        await asyncio.start_server(accept, LOOPBACK, 0) as one,
        await asyncio.start_server(accept, LOOPBACK, 0) as other,
    ):
        yield _address(one), _address(other)


def _address(server: asyncio.Server) -> str:
    return f"{LOOPBACK}:{server.sockets[0].getsockname()[1]}"


def _gateway() -> dict[str, str]:
    return {"listen": f"{LOOPBACK}:{free_port()}", "preview": f"{LOOPBACK}:{free_port()}"}


def _service(name: str, **more: object) -> dict[str, object]:
    return {"gateways": [GATEWAY], "domains": [f"{name}.example.com"], **more}
