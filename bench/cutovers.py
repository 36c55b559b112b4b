"""How fast the traffic of a fleet moves, and comes back."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench.control_plane import LOOPBACK, ControlPlane
from bench.flushes import GATEWAY
from bench.processes import Process, process
from bench.pulse import pulse
from bench.world import LARGE_INTERVAL, SHOP, V1, V2, connect, gateway_entry, service_entry, world
from bluegreen.app.demo.envoy_process import EnvoyOptions, EnvoyProcess
from bluegreen.model.endpoint import Endpoint
from bluegreen.switches.envoy.bootstrap import BootstrapOptions, bootstrap


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
class Played:
    """With what a story is played: an instance of each version, and simulated proxies, for what they see."""

    backends: tuple[str, str]
    fleet: Process | None = None
    proxies: int = 0


async def real_cutovers(rounds: int) -> Cutovers:
    """Two Envoys of two gateways."""
    async with world() as (children, control_plane), two_backends() as backends:
        gateways = ("edge", "sidecar")
        await control_plane.apply(
            {SHOP: {"gateways": list(gateways), "domains": ["*"]}},
            {name: gateway_entry() for name in gateways},
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
    async with world() as (_, control_plane), process("bench.simulated_fleet") as fleet:
        await control_plane.apply({SHOP: service_entry(SHOP)}, {GATEWAY: gateway_entry()})
        seconds = await connect(fleet, control_plane, proxies, LARGE_INTERVAL)
        played = Played((V1, V2), fleet, proxies)
        return await _cutovers(f"{proxies:,} simulated", seconds, control_plane, played, rounds)


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


@asynccontextmanager
async def two_backends() -> AsyncIterator[tuple[str, str]]:
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
