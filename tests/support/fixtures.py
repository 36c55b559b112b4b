"""Fixtures for tests with real processes: Envoys, applications, load. They end with the test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bluegreen.app.demo.application import ApplicationOptions
from bluegreen.app.demo.application_process import ApplicationProcess, start_application
from bluegreen.app.demo.envoy_process import EnvoyOptions, EnvoyProcess
from bluegreen.app.demo.processes import ChildProcesses

StartApplication = Callable[..., Awaitable[ApplicationProcess]]
StartEnvoy = Callable[..., Awaitable[EnvoyProcess]]


@pytest.fixture
def run_directory(tmp_path: Path) -> Path:
    """Where the test's child processes write their logs."""
    return tmp_path / "run"


@pytest.fixture
async def children(run_directory: Path) -> AsyncIterator[ChildProcesses]:
    """Starts child processes that are gone when the test is over."""
    async with ChildProcesses(run_directory, grace=2.0) as processes:
        yield processes


@pytest.fixture
def application(children: ChildProcesses) -> StartApplication:
    """`await application("v1", environment="blue", latency=0.005)`: a demo application that listens."""

    async def start(version: str, **options: Any) -> ApplicationProcess:
        defaults = ApplicationOptions(version, lame_duck=0.1, grace=5.0)
        return await start_application(children, replace(defaults, **options))

    return start


@pytest.fixture
def envoy(children: ChildProcesses) -> StartEnvoy:
    """`await envoy(bootstrap, name="edge")`: a real Envoy that is ready (`wait=False`: that has started)."""

    async def start(bootstrap: str | Mapping[str, Any], *, wait: bool = True, **options: Any) -> EnvoyProcess:
        process = await EnvoyProcess.start(children, bootstrap, EnvoyOptions(**options))
        if wait:
            await process.ready()
        return process

    return start
