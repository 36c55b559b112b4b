"""Processes that are not well: what becomes of them, and what is told."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bluegreen.model.pool import Instance, InstanceState
from bluegreen.model.provisioning import ProcessTemplate
from bluegreen.model.secret import Secret
from bluegreen.provisioners.process import instance_log, keeper
from bluegreen.provisioners.process.process_provisioner import ProcessProvisioner
from tests.provisioners.process.world import (
    all_up,
    command,
    empty,
    none_left,
    pid_of,
    pool,
    processes,
    template,
    until,
    written,
)


async def test_one_that_exits_at_once_is_given_up_with_its_last_words(
    provisioner: ProcessProvisioner, mark: str
) -> None:
    source = replace(
        template(mark, "--say=no \x1b[31mdatabase at hunter22", "--exit=3"),
        environment={"PASSWORD": Secret("hunter22")},
    )
    wanted = pool(source)
    await provisioner.up(wanted)
    (instance,) = await until(provisioner, wanted, lambda all_of: all_of[0].state is InstanceState.FAILED)
    assert instance.restarts == 4
    assert instance.note == (
        "given up after 5 starts: ended with exit status 3. It said last:\nno database at (secret)"
    )
    await provisioner.up(wanted)  # it is one of those that are wanted: no other takes its place
    assert await provisioner.instances(wanted) == [instance]
    await provisioner.stop(replace(wanted, leaving=(instance.id,)))
    await provisioner.up(wanted)
    (another,) = await provisioner.instances(wanted)
    assert another.id != instance.id


async def test_the_pauses_between_starts_double(provisioner: ProcessProvisioner, mark: str) -> None:
    source = replace(template(mark, "--exit=1"), backoff=0.1, longest_backoff=0.3)
    moments: list[float] = []

    def take(_: tuple[str, int]) -> None:
        moments.append(asyncio.get_running_loop().time())

    provisioner.on_change(take)
    await provisioner.up(pool(source))
    await until(provisioner, pool(source), lambda all_of: all_of[0].state is InstanceState.FAILED)
    # Told when it starts, and when it waits.
    pauses = [begins - waits for waits, begins in itertools.pairwise(moments)][1::2]
    assert len(pauses) == 4
    assert all(pause >= least - 0.01 for pause, least in zip(pauses, (0.1, 0.2, 0.3, 0.3), strict=True))
    assert pauses[3] < 0.8  # as it would be, were it doubled each time


async def test_one_that_never_listens_is_stopped_and_given_up(
    provisioner: ProcessProvisioner, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "UNREADY_GRACE", 0.1)
    monkeypatch.setattr(keeper, "TRIES", 2)
    source = replace(template(mark, "--deaf", "--stubborn", "--say=hm"), ready_timeout=0.5)
    await provisioner.up(pool(source))
    (instance,) = await until(
        provisioner, pool(source), lambda all_of: all_of[0].state is InstanceState.FAILED
    )
    port = instance.endpoint.port
    what = f"given up after 2 starts: did not listen on port {port} for 0.5 s, and was stopped"
    assert instance.note.startswith(what)
    assert processes(mark) == []


async def test_what_one_says_that_does_not_listen_yet_is_told_before_it_is_given_up(
    provisioner: ProcessProvisioner, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "SLOW", 0.2)
    wanted = pool(template(mark, "--deaf", "--say=no database yet"))
    await provisioner.up(wanted)
    (instance,) = await until(provisioner, wanted, lambda all_of: all_of[0].note != "")
    assert instance.state is InstanceState.STARTING
    assert instance.note == (
        f"did not listen on port {instance.endpoint.port} for 0.2 s. It said last:\nno database yet"
    )


async def test_its_last_words_are_not_forgotten_when_it_starts_again(
    provisioner: ProcessProvisioner, mark: str
) -> None:
    wanted = pool(template(mark, "--say=no database", "--exit=3"))
    await provisioner.up(wanted)
    (instance,) = await until(
        provisioner, wanted, lambda all_of: all_of[0].restarts > 0 and all_of[0].state == "starting"
    )
    assert instance.note.startswith("ended with exit status 3. It said last:\nno database")


async def test_a_program_that_cannot_be_run(provisioner: ProcessProvisioner, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF nonsense")
    program.chmod(0o700)
    source = replace(template(""), command=(str(program),))
    await provisioner.up(pool(source))
    (instance,) = await until(
        provisioner, pool(source), lambda all_of: all_of[0].state is InstanceState.WAITING
    )
    assert instance.note == (
        f"ended with exit status 126. It said last:\ncannot start {program}: [Errno 8] Exec format error"
    )


async def test_one_that_was_up_is_never_given_up(
    provisioner: ProcessProvisioner, mark: str, tmp_path: Path
) -> None:
    # Listens as long as there is no such file.
    broken = tmp_path / "broken"
    script = f'test -e {broken} && exit 9; exec "$0" "$@"'
    source = replace(template(mark), command=("/bin/sh", "-c", script, *command(mark)))
    wanted = pool(source)
    await provisioner.up(wanted)
    (instance,) = await all_up(provisioner, wanted)
    broken.touch()
    os.kill(pid_of(instance, mark), signal.SIGTERM)
    await until(provisioner, wanted, lambda all_of: all_of[0].restarts >= 8)
    (instance,) = await until(
        provisioner, wanted, lambda all_of: all_of[0].state is not InstanceState.STARTING
    )
    assert instance.state is InstanceState.WAITING
    assert instance.note.startswith("ended with exit status 9. It said last:\n")
    broken.unlink()
    await all_up(provisioner, wanted)


async def test_failures_are_forgotten_by_one_that_is_steady(
    provisioner: ProcessProvisioner, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = replace(template(mark), backoff=0.01, longest_backoff=60.0)
    wanted = pool(source)

    async def kill() -> None:
        (instance,) = await all_up(provisioner, wanted)
        os.kill(pid_of(instance, mark), signal.SIGKILL)
        await until(provisioner, wanted, lambda all_of: all_of[0].restarts > instance.restarts)

    await provisioner.up(wanted)
    monkeypatch.setattr(keeper, "STEADY", 0.0)
    for _ in range(15):  # each pause is of 10 ms: doubled, the last would be of 80 s
        await kill()
    monkeypatch.setattr(keeper, "STEADY", 10.0)
    began = asyncio.get_running_loop().time()
    for _ in range(4):
        await kill()
    assert asyncio.get_running_loop().time() - began >= 0.15


async def test_a_port_that_another_program_has_taken(
    provisioner: ProcessProvisioner, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "TRIES", 1_000_000)
    wanted = pool(template(mark))
    await provisioner.up(wanted)
    (instance,) = await all_up(provisioner, wanted)
    endpoint = instance.endpoint
    with socket.socket() as thief:
        await _have_taken(thief, instance, mark)
        (instance,) = await until(provisioner, wanted, lambda all_of: "another" in all_of[0].note)
        assert instance.state is InstanceState.WAITING
        assert f"another program listens on its port {endpoint.port}" in instance.note
    (instance,) = await all_up(provisioner, wanted)
    assert instance.endpoint == endpoint


async def test_a_port_that_another_program_keeps(provisioner: ProcessProvisioner, mark: str) -> None:
    """It cannot be had, though it was up: whoever wants one in its place gets one on another port."""
    wanted = pool(template(mark))
    await provisioner.up(wanted)
    (instance,) = await all_up(provisioner, wanted)
    with socket.socket() as thief:
        await _have_taken(thief, instance, mark)
        (failed,) = await until(provisioner, wanted, lambda all_of: all_of[0].state is InstanceState.FAILED)
        assert "given up after 5 starts: another program listens on its port" in failed.note
        await provisioner.up(replace(wanted, leaving=(failed.id,)))
        both = await until(
            provisioner, wanted, lambda all_of: any(each.state is InstanceState.UP for each in all_of)
        )
        assert len({each.endpoint for each in both}) == 2


async def _have_taken(thief: socket.socket, instance: Instance, mark: str) -> None:
    """Take an instance's port as soon as it is killed."""
    thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    os.kill(pid_of(instance, mark), signal.SIGKILL)
    async with asyncio.timeout(10):
        while not _took(thief, instance.endpoint.port):  # noqa: ASYNC110
            await asyncio.sleep(0)


def _took(thief: socket.socket, port: int) -> bool:
    try:
        thief.bind(("127.0.0.1", port))
    except OSError:
        return False
    thief.listen()
    return True


async def test_a_child_that_is_left_behind_does_not_hold_the_port(
    provisioner: ProcessProvisioner, mark: str
) -> None:
    wanted = pool(template(mark, "--daemon"))
    await provisioner.up(wanted)
    await all_up(provisioner, wanted)
    old = processes(mark)
    leader = min(old)
    os.kill(leader, signal.SIGKILL)
    await until(provisioner, wanted, lambda all_of: all_of[0].restarts == 1)
    await all_up(provisioner, wanted)
    assert not set(processes(mark)) & set(old)
    assert len(processes(mark)) == 2


async def test_megabytes_are_cut(
    provisioner: ProcessProvisioner, mark: str, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instance_log, "GENERATION", 100_000)
    source = template(mark, "--print=5000000")
    await provisioner.up(pool(source))
    (instance,) = await all_up(provisioner, pool(source))
    log = directory / "logs" / f"shop-7-{instance.id}.log"
    async with asyncio.timeout(10):
        while log.stat().st_size > 100_000:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    text = await provisioner.log(pool(source), instance.id, 3)
    assert text == f"{49998:099d}\n{49999:099d}\nthe end"
    assert sum(each.stat().st_size for each in log.parent.iterdir()) <= 200_000
    assert len(await provisioner.log(pool(source), instance.id, 10**9)) <= 200_000


async def test_a_log_goes_on_where_it_was_cut(
    provisioner: ProcessProvisioner, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instance_log, "GENERATION", 200)
    monkeypatch.setattr("bluegreen.provisioners.process.process_provisioner.LOOK_AT_LOGS", 0.01)
    source = ProcessTemplate(
        (
            sys.executable,
            "-S",
            "-c",
            # A line in one write: what falls between a copy and its cut is lost, and then whole lines are.
            "import os, time\n"
            "for i in range(300): os.write(1, b'%d\\n' % i); time.sleep(.002)\n"
            "time.sleep(60)",
            mark,
        )
    )
    await provisioner.up(pool(source))
    (instance,) = await provisioner.instances(pool(source))
    text = await written(provisioner, source, instance.id, "299")
    numbers = [int(line) for line in text.split() if line.isdecimal()]
    assert "\0" not in text
    assert numbers == sorted(set(numbers))
    assert 40 <= len(numbers) < 300


async def test_the_logs_of_those_that_are_gone_are_kept_for_a_while(
    provisioner: ProcessProvisioner, mark: str, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instance_log, "KEPT", 2)
    monkeypatch.setattr("bluegreen.provisioners.process.process_provisioner.LOOK_AT_LOGS", 0.01)
    wanted = pool(template(mark))
    names = []
    for _ in range(4):
        await provisioner.up(wanted)
        names += [each.id for each in await all_up(provisioner, wanted)]
        await provisioner.stop(empty(wanted))
    await provisioner.up(wanted)
    names += [each.id for each in await all_up(provisioner, wanted)]
    async with asyncio.timeout(5):
        while len(list((directory / "logs").iterdir())) > 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    logs = [await provisioner.log(wanted, name, 10) for name in names]
    assert logs == ["", "", "begins", "begins", "begins"]
    for name in ("", "../x", "0" * 8, "é"):
        assert await provisioner.log(wanted, name, 10) == ""


async def test_a_disk_that_is_full(
    provisioner: ProcessProvisioner, mark: str, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be stored is not started; what cannot be removed is stopped all the same."""
    wanted = pool(template(mark))
    instances = directory / "instances"
    hidden = directory / "hidden"
    instances.rename(hidden)
    await provisioner.up(wanted)
    (instance,) = await until(provisioner, wanted, lambda all_of: all_of[0].state is InstanceState.WAITING)
    assert "cannot be started: [Errno 2] No such file or directory" in instance.note
    assert processes(mark) == []
    hidden.rename(instances)
    (instance,) = await all_up(provisioner, wanted)
    await provisioner.stop(empty(wanted))
    await none_left(mark)
