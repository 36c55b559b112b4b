"""examples/provisioners: each is run as the control plane runs it.

local.py starts real processes. Docker, Nomad and AWS are not to be had in a test: what stands in for them
knows just what the programs say to them, so that their logic is tested, but not that the tools agree.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bluegreen.model.errors import ProvisioningFailed
from bluegreen.model.pool import InstanceState, Pool
from bluegreen.model.provisioning import ProvisionerCommand
from bluegreen.provisioners.command.command_provisioner import CommandProvisioner
from tests.provisioners.command.nomad_server import NomadServer
from tests.provisioners.news import News, ids
from tests.support.exits import gone

EXAMPLES = Path(__file__).parents[3] / "examples/provisioners"
STAND_INS = Path(__file__).parent / "stand_ins"


@pytest.fixture
async def provisioner(tmp_path: Path) -> AsyncIterator[CommandProvisioner]:
    path = f"{STAND_INS}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    async with CommandProvisioner.open({"PATH": path, "HOME": str(tmp_path)}) as provisioner:
        yield provisioner


def _pool(*command: str, capacity: int = 2, leaving: tuple[str, ...] = ()) -> Pool:
    source = ProvisionerCommand((str(EXAMPLES / command[0]), *command[1:]), 30.0, 0.2)
    return Pool("shop", "green", 7, "v2", source, capacity, leaving)


async def _goes_through_its_life(provisioner: CommandProvisioner, *command: str) -> None:
    """Up, again, one that leaves, and all of them."""
    await provisioner.up(_pool(*command))
    await provisioner.up(_pool(*command))
    first, second = await provisioner.instances(_pool(*command))

    await provisioner.up(_pool(*command, leaving=(first.id,)))
    three = ids(await provisioner.instances(_pool(*command)))
    assert len(three) == 3
    assert {first.id, second.id} < set(three)
    await provisioner.stop(_pool(*command, leaving=(first.id,)))
    left = ids(await provisioner.instances(_pool(*command)))
    assert set(left) == set(three) - {first.id}
    await provisioner.up(_pool(*command))
    assert set(ids(await provisioner.instances(_pool(*command)))) == set(left)

    await provisioner.stop(_pool(*command, capacity=0))
    assert await provisioner.instances(_pool(*command, capacity=0)) == ()
    await provisioner.stop(_pool(*command, capacity=0))


def _local(
    tmp_path: Path, application: str = f"{sys.executable} -m http.server --bind 127.0.0.1 {{port}}"
) -> tuple[str, ...]:
    return "local.py", "--command", application, "--logs", str(tmp_path / "logs"), "--grace", "1"


async def test_local_starts_and_stops_processes(provisioner: CommandProvisioner, tmp_path: Path) -> None:
    await _goes_through_its_life(provisioner, *_local(tmp_path))


async def test_what_local_has_started_serves_and_survives(
    provisioner: CommandProvisioner, tmp_path: Path
) -> None:
    pool = _pool(*_local(tmp_path), capacity=1)
    news = News(provisioner)
    await provisioner.up(pool)
    try:
        (instance,) = await news.until(pool, lambda all_: all_[0].state is InstanceState.UP)
        reader, writer = await asyncio.open_connection(instance.endpoint.host, instance.endpoint.port)
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        assert (await reader.readline()).endswith(b"200 OK\r\n")
        writer.close()
        await writer.wait_closed()
        async with CommandProvisioner.open({"HOME": str(tmp_path)}) as restarted:
            assert ids(await restarted.instances(pool)) == [instance.id]
        assert (tmp_path / "logs" / f"{instance.id}.log").exists()
    finally:
        await provisioner.stop(_pool(*_local(tmp_path), capacity=0))


async def test_of_local_one_that_dies_is_gone_and_started_again_by_up(
    provisioner: CommandProvisioner, tmp_path: Path
) -> None:
    application = f"sh -c 'echo $$ > {tmp_path}/pid; exec sleep 60'"
    pool = _pool(*_local(tmp_path, application), capacity=1)
    news = News(provisioner)
    await provisioner.up(pool)
    try:
        (first,) = await provisioner.instances(pool)
        assert first.state is InstanceState.STARTING  # it does not listen
        async with asyncio.timeout(5):
            while not (tmp_path / "pid").exists():  # noqa: ASYNC110 - a file tells nobody
                await asyncio.sleep(0.02)
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
        await news.until(pool, lambda all_: not all_)
        await provisioner.up(pool)
        (second,) = await provisioner.instances(pool)
        assert second.id != first.id
    finally:
        await provisioner.stop(_pool(*_local(tmp_path), capacity=0))


async def test_local_kills_what_ignores_sigterm(provisioner: CommandProvisioner, tmp_path: Path) -> None:
    script = f'trap "" TERM; echo $$ > {tmp_path}/pid; while true; do sleep 0.1; done'
    command = _local(tmp_path, f"sh -c '{script}'")
    await provisioner.up(_pool(*command, capacity=1))
    async with asyncio.timeout(5):
        while not (tmp_path / "pid").exists():  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.02)
    began = asyncio.get_running_loop().time()
    await provisioner.stop(_pool(*command, capacity=0))
    assert asyncio.get_running_loop().time() - began >= 1
    await gone(int((tmp_path / "pid").read_text()))


async def test_compose(provisioner: CommandProvisioner, tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    command = ("compose.py", "--file", str(file), "--app", "web", "--port", "8080")
    with pytest.raises(ProvisioningFailed, match=r"compose\.yaml: no such file"):
        await provisioner.up(_pool(*command))
    file.touch()
    await _goes_through_its_life(provisioner, *command)

    await provisioner.up(_pool(*command, capacity=1))
    (one,) = await provisioner.instances(_pool(*command))
    assert (one.state, one.note) == (InstanceState.UP, "")
    assert one.endpoint.host == "127.0.0.1"


async def test_ec2(provisioner: CommandProvisioner, tmp_path: Path) -> None:
    command = ("ec2.py", "--launch-template", "shop", "--port", "8080")
    await _goes_through_its_life(provisioner, *command)

    machines = json.loads((tmp_path / "machines.json").read_text())
    assert len(machines) == 3  # none was started twice
    assert {"Key": "version", "Value": "v2"} in machines["i-00000000000000001"]["Tags"]


async def test_nomad(provisioner: CommandProvisioner, tmp_path: Path) -> None:
    job = {"Job": {"TaskGroups": [{"Count": 1, "Tasks": [{"Name": "web", "Env": None}]}]}}
    (tmp_path / "job.json").write_text(json.dumps(job))
    (tmp_path / "token").write_text("hunter2\n")
    async with NomadServer.open() as nomad:
        unknown = ("nomad.py", "--address", nomad.address, "--job", f"{tmp_path}/job.json", "--port", "http")
        with pytest.raises(ProvisioningFailed, match="HTTP Error 403"):
            await provisioner.up(_pool(*unknown))
        command = (*unknown, "--token-file", f"{tmp_path}/token")
        await _goes_through_its_life(provisioner, *command)
        started = [each["TaskGroups"][0]["Tasks"][0]["Env"] for each in nomad.jobs.values()]
    assert started == [{"VERSION": "v2"}] * 3
