"""Fixtures for tests with real processes: Envoys, applications, load. They end with the test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bluegreen.app.demo.application import ApplicationOptions
from bluegreen.app.demo.envoy_process import EnvoyOptions, EnvoyProcess
from bluegreen.app.demo.load_plan import LoadPlan, Target
from bluegreen.app.demo.load_process import LoadProcess
from bluegreen.app.demo.load_report import LoadReport
from bluegreen.app.demo.processes import ChildProcesses
from tests.support.application_process import ApplicationProcess, start_application
from tests.support.http2_upstream import start_http2_upstream

StartApplication = Callable[..., Awaitable[ApplicationProcess]]
StartHttp2Upstream = Callable[[str], Awaitable[str]]
StartEnvoy = Callable[..., Awaitable[EnvoyProcess]]
StartLoad = Callable[..., Awaitable[LoadProcess]]


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
def http2_upstream(children: ChildProcesses) -> StartHttp2Upstream:
    """`await http2_upstream("v1")`: the HOST:PORT of an application that speaks HTTP/2 without TLS."""

    async def start(version: str) -> str:
        return await start_http2_upstream(children, version)

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


@pytest.fixture
def load(children: ChildProcesses) -> StartLoad:
    """`await load("http://127.0.0.1:10000", rate=200)`: a load that runs; options as in LoadPlan."""

    async def start(
        *urls: str, on_report: Callable[[LoadReport], None] | None = None, **options: Any
    ) -> LoadProcess:
        plan = LoadPlan(tuple(Target.parse(url) for url in urls), **options)
        return await LoadProcess.start(children, plan, on_report)

    return start
