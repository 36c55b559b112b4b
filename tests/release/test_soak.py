"""Release after release under load: nothing is lost, and nothing grows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.release.world import World
from tests.support.fixtures import StartApplication, StartLoad

SETTLED = 0.25
"""The part of the releases after which memory is taken as it is to stay."""

KEPT = 0.02
"""MiB that a release may leave behind in the database: its events and its history. The write-ahead log is
written over again and again, and bounded."""

WAL_LIMIT = 6.0
"""MiB."""


def resident(pid: int) -> float:
    """MiB."""
    match = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert match is not None
    return int(match[1]) / 1024


def stored(file: Path) -> float:
    """MiB."""
    return file.stat().st_size / 2**20 if file.exists() else 0.0


@pytest.mark.parametrize("releases", [8, pytest.param(200, marks=pytest.mark.slow)])
async def test_releases_in_a_row(
    world: World, application: StartApplication, load: StartLoad, tmp_path: Path, releases: int
) -> None:
    control_plane = await world.start(health_check={"path": "/healthz", "interval": "500ms"})
    places = [[(await application(f"side-{side}")).address for _ in range(2)] for side in (0, 1)]
    await world.release("r0", places[0])
    running = await load(*world.entries(), rate=200.0)
    longest = 0.0
    memory: list[float] = []
    for number in range(1, releases + 1):
        revision = await world.deploy(f"r{number}", places[number % 2], replace_standby=True)
        await world.promote(full=True)
        status = await world.until(revision, "active")
        longest = max(longest, status.rollout.seconds_to_last_ack)
        memory.append(resident(control_plane.pid))
    back = await world.finished(await world.rollback())
    report = await running.stop()

    assert report.failed == 0, report.examples
    assert report.connections.lost == 0
    assert set(report.versions) == {"side-0", "side-1"}
    assert longest < 30.0
    assert back.rollout.seconds_to_last_ack < 60.0
    settled = int(releases * SETTLED)
    assert memory[-1] - memory[settled] < 8.0, f"MiB resident: {memory[settled]:.0f} to {memory[-1]:.0f}"
    assert stored(tmp_path / "bluegreen.db") < 1.0 + KEPT * releases
    assert stored(tmp_path / "bluegreen.db-wal") < WAL_LIMIT
