"""Pools of real processes, and what the machine says of them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from bluegreen.model.pool import Instance, InstanceState, Pool
from bluegreen.model.provisioning import ProcessTemplate
from bluegreen.provisioners.process import launcher
from bluegreen.provisioners.process.process_provisioner import ProcessProvisioner
from tests.provisioners.news import News

# Files, and the end of a process that is not our child, tell nobody: they are looked at again and again.

INSTANCE = Path(__file__).with_name("instance.py")


def command(mark: str, *options: str) -> tuple[str, ...]:
    """Of an instance that is known by its mark."""
    return (sys.executable, "-I", "-S", str(INSTANCE), *options, "{port}", mark)


def template(mark: str, *options: str) -> ProcessTemplate:
    return ProcessTemplate(
        command(mark, *options), ready_timeout=15.0, grace=5.0, backoff=0.01, longest_backoff=0.05
    )


def pool(source: ProcessTemplate, capacity: int = 1, leaving: tuple[str, ...] = ()) -> Pool:
    return Pool("shop", "blue", 7, "v7", source, capacity, leaving)


def empty(of: Pool) -> Pool:
    """The pool is over."""
    return replace(of, capacity=0)


async def until(
    provisioner: ProcessProvisioner, of: Pool, holds: Callable[[Sequence[Instance]], bool]
) -> Sequence[Instance]:
    """The instances, once this holds of them."""
    return await News(provisioner).until(of, holds, timeout=20.0)


async def written(provisioner: ProcessProvisioner, source: ProcessTemplate, instance: str, end: str) -> str:
    """The log of an instance, once it ends so."""
    async with asyncio.timeout(20):
        while not (text := await provisioner.log(pool(source), instance, 1000)).endswith(end):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return text


async def all_up(provisioner: ProcessProvisioner, of: Pool) -> Sequence[Instance]:
    return await until(
        provisioner,
        of,
        lambda all_of: bool(all_of) and all(each.state is InstanceState.UP for each in all_of),
    )


def processes(mark: str) -> list[int]:
    """Those that bear this mark on their command line, launchers included."""
    return [pid for pid, line in _command_lines() if mark in line]


def pid_of(instance: Instance, mark: str) -> int:
    """The process that was told this instance's port."""
    (pid,) = (pid for pid, line in _command_lines() if mark in line and str(instance.endpoint.port) in line)
    return pid


async def settled(mark: str) -> list[int]:
    """The processes of this mark, once no launcher is under way."""
    async with asyncio.timeout(10):
        while any(mark in line and launcher.__file__ in line for _, line in _command_lines()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return processes(mark)


async def none_left(mark: str) -> None:
    async with asyncio.timeout(5):
        while processes(mark):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def _command_lines() -> list[tuple[int, list[str]]]:
    found = []
    for name in os.listdir("/proc"):
        if name.isdecimal():
            try:
                line = Path(f"/proc/{name}/cmdline").read_bytes()
            except OSError:  # it has ended
                continue
            found.append((int(name), line.decode(errors="replace").split("\0")))
    return found
