"""What every story of a release needs: a control plane with an empty database, and proxies for it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from bench.control_plane import LOOPBACK, ControlPlane, serving
from bench.flushes import GATEWAY
from bench.processes import Process
from bluegreen.app.demo.ports import free_port
from bluegreen.app.demo.processes import ChildProcesses

SHOP = "shop"
LARGE_INTERVAL = 5.0
"""Seconds between two flushes of a proxy in a large fleet."""
SMALL_INTERVAL = 1.0

V1, V2, V3 = (f"{LOOPBACK}:{port}" for port in (9, 10, 11))
"""The instances of a version, which simulated proxies never call."""


@asynccontextmanager
async def world() -> AsyncIterator[tuple[ChildProcesses, ControlPlane]]:
    async with AsyncExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="bluegreen-bench-"))
        children = await stack.enter_async_context(ChildProcesses(Path(directory)))
        yield children, await stack.enter_async_context(serving(children))


async def connect(
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


async def all_at_once(names: list[str], move: Callable[[str], Awaitable[object]]) -> None:
    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(awaited(move(name)))


async def awaited(work: Awaitable[object]) -> None:
    await work


async def cpu_over(control_plane: ControlPlane, work: Awaitable[None]) -> float:
    before = control_plane.cpu()
    await work
    return control_plane.cpu() - before


def gateway_entry() -> dict[str, str]:
    return {"listen": f"{LOOPBACK}:{free_port()}", "preview": f"{LOOPBACK}:{free_port()}"}


def service_entry(name: str, **more: object) -> dict[str, object]:
    return {"gateways": [GATEWAY], "domains": [f"{name}.example.com"], **more}
