"""A real Prometheus, which knows what it is given to begin with."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from pathlib import Path

import aiohttp

from bluegreen.app.demo.ports import free_port
from bluegreen.app.demo.processes import ChildProcesses, Command

START_SECONDS = 30.0
POLL_SECONDS = 0.05  # it tells of its readiness only when asked


def find(name: str) -> str:
    """The program's path; a test without it fails, rather than not being run."""
    path = shutil.which(name)
    assert path is not None, (
        f"there is no {name} here. The tests ask a real Prometheus: install it "
        f"(Debian: apt-get install --no-install-recommends prometheus)"
    )
    return path


async def start_prometheus(children: ChildProcesses, directory: Path, series: dict[str, float]) -> str:
    """Start one whose series (`name{labels}`) have had these values for the last minutes; its URL."""
    storage = directory / "storage"
    await asyncio.to_thread(_fill, directory, storage, series)
    configuration = directory / "prometheus.yml"
    configuration.write_text("scrape_configs: []\n")
    port = free_port()
    child = await children.start(
        Command(
            "prometheus",
            (
                find("prometheus"),
                f"--config.file={configuration}",
                f"--storage.tsdb.path={storage}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--log.level=warn",
            ),
        )
    )
    url = f"http://127.0.0.1:{port}"
    await child.expect(_is_ready(url), START_SECONDS)
    return url


def _fill(directory: Path, storage: Path, series: dict[str, float]) -> None:
    now = int(time.time())
    lines = [f"# TYPE {name} gauge" for name in {each.partition("{")[0] for each in series}]
    for each, value in series.items():
        # A value counts for five minutes after it was taken (the look-back of queries); the test takes less.
        lines += [f"{each} {value} {at}" for at in range(now - 120, now + 180, 15)]
    samples = directory / "samples.txt"
    samples.write_text("\n".join([*lines, "# EOF", ""]))
    subprocess.run(
        [find("promtool"), "tsdb", "create-blocks-from", "openmetrics", "-q", samples, storage],
        check=True,
        capture_output=True,
    )


async def _is_ready(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"{url}/-/ready") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                pass  # it does not listen yet
            await asyncio.sleep(POLL_SECONDS)
