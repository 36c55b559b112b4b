"""Processes that are asked whether they can serve, for as long as they run."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bluegreen.model.pool import InstanceState, Pool
from bluegreen.provisioners.process import keeper
from bluegreen.provisioners.process.process_provisioner import ProcessProvisioner
from tests.provisioners.process.world import all_up, pool, template, until

GOOD = b"HTTP/1.1 204 No Content\r\n\r\n"
BAD = b"HTTP/1.1 503 Service Unavailable\r\n\r\n"


@pytest.fixture
def answer(tmp_path: Path) -> Path:
    """What the instances answer."""
    path = tmp_path / "answer"
    path.write_bytes(GOOD)
    return path


@pytest.fixture
def wanted(mark: str, answer: Path) -> Pool:
    source = template(mark, f"--answer={answer}")
    return pool(replace(source, ready_path="/ready", ready_interval=0.05))


def become(answer: Path, text: bytes) -> None:
    """At once, never half of it."""
    new = answer.with_suffix(".new")
    new.write_bytes(text)
    new.replace(answer)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (BAD, "answered /ready with status 503"),
        (b"HTTP/1.1 302 Found\r\n\r\n", "answered /ready with status 302"),
        (b"SSH-2.0-OpenSSH\r\n", "answered /ready with what is no HTTP/1.1"),
        (b"x" * 10_000, "answered /ready with what is no HTTP/1.1"),
        (b"HTTP/1.1 200", "hung up when it was asked for /ready"),
        (b"", "did not answer /ready within 1 s"),
    ],
    ids=range(6),
)
async def test_one_that_is_not_ready_is_unhealthy_until_it_is(
    provisioner: ProcessProvisioner, wanted: Pool, answer: Path, text: bytes, why: str
) -> None:
    await provisioner.up(wanted)
    (before,) = await all_up(provisioner, wanted)
    become(answer, text)
    (instance,) = await until(provisioner, wanted, lambda all_of: all_of[0].state is InstanceState.UNHEALTHY)
    assert instance.note == why
    assert instance.restarts == 0, "it is not ended for that"
    become(answer, GOOD)
    (after,) = await all_up(provisioner, wanted)
    assert (after.id, after.note, after.restarts) == (before.id, "", 0)


async def test_it_is_not_up_before_it_is_ready(
    provisioner: ProcessProvisioner, wanted: Pool, answer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "TRIES", 1)
    become(answer, BAD)
    states: list[InstanceState] = []
    impatient = replace(wanted, source=replace(wanted.source, ready_timeout=0.5))
    await provisioner.up(impatient)
    (instance,) = await until(
        provisioner, impatient, lambda all_of: bool(states.append(all_of[0].state)) or states[-1] == "failed"
    )
    assert instance.note.startswith(
        "given up after 1 starts: answered /ready with status 503 for 0.5 s, and was stopped. It said last:"
    )
    assert InstanceState.UP not in states


async def test_a_control_plane_that_comes_back_ends_none_that_is_unhealthy(
    directory: Path, wanted: Pool, answer: Path
) -> None:
    async with ProcessProvisioner.open(directory) as before:
        await before.up(wanted)
        (first,) = await all_up(before, wanted)
        async with asyncio.timeout(10):
            while not any('"proven": true' in each.read_text() for each in directory.rglob(f"*{first.id}*")):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    become(answer, BAD)
    async with ProcessProvisioner.open(directory) as after:
        told: list[InstanceState] = []
        (instance,) = await after.instances(wanted)
        assert (instance.id, instance.state, instance.restarts) == (first.id, InstanceState.UNHEALTHY, 0)
        become(answer, GOOD)
        await until(after, wanted, lambda all_of: bool(told.append(all_of[0].state)) or told[-1] == "up")
        await after.reap()
