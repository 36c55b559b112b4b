"""The provisioner that asks a program: real programs, good and bad ones."""

from __future__ import annotations

import asyncio
import json
import os
import re
from pathlib import Path

import pytest

from bluegreen.model.endpoint import Endpoint
from bluegreen.model.errors import ProvisioningFailed
from bluegreen.model.pool import InstanceState, Pool
from bluegreen.model.provisioning import ProvisionerCommand
from bluegreen.provisioners.command.command_provisioner import CommandProvisioner
from bluegreen.provisioners.command.program import MAXIMUM_ANSWER
from tests.provisioners.command.conftest import POLLED, Program
from tests.provisioners.news import News, ids
from tests.support.exits import gone

ONE = ("one", "127.0.0.1:8001", "up")
TWO = ("two", "127.0.0.1:8002", "starting")


async def test_up_says_what_is_wanted_and_takes_what_there_is(
    provisioner: CommandProvisioner, program: Program
) -> None:
    program.answers(ONE, TWO)
    await provisioner.up(program.pool(capacity=2, leaving=("old",)))

    assert program.asked("up") == {
        "service": "shop",
        "environment": "green",
        "version": "v2",
        "revision": 7,
        "capacity": 2,
        "leaving": ["old"],
        "instances": [],
    }
    one, two = await provisioner.instances(program.pool())
    assert (one.id, one.endpoint, one.state) == ("one", Endpoint("127.0.0.1", 8001), InstanceState.UP)
    assert (two.id, two.state, two.note) == ("two", InstanceState.STARTING, "")
    await provisioner.up(program.pool())
    assert [each["id"] for each in program.asked("up")["instances"]] == ["one", "two"]


async def test_a_restarted_control_plane_asks_anew(program: Program) -> None:
    program.answers(ONE)
    async with CommandProvisioner.open() as first:
        await first.up(program.pool())
    async with CommandProvisioner.open() as second:
        assert ids(await second.instances(program.pool())) == ["one"]
    assert program.verbs()[-1] == "endpoints"


async def test_it_is_asked_again_and_tells_only_of_changes(
    provisioner: CommandProvisioner, program: Program
) -> None:
    news = News(provisioner)
    program.answers(ONE, TWO)
    await provisioner.up(program.pool())
    asked = len(program.verbs())
    async with asyncio.timeout(10):
        while len(program.verbs()) < asked + 3:  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(POLLED)
    assert news.told == []  # whoever has called asks next

    program.answers(ONE, ("two", "127.0.0.1:8002", "up"))
    instances = await news.until(program.pool(), lambda all_: all_[1].state is InstanceState.UP)
    assert news.told == [("shop", 7)]
    assert instances[1].since > 0


async def test_other_words_alone_are_no_news(provisioner: CommandProvisioner, program: Program) -> None:
    news = News(provisioner)
    entry = '{"id": "one", "endpoint": "127.0.0.1:8001", "state": "starting", "note": "at %N"}'
    program.does(f"date '+{{\"instances\": [{entry}]}}'")
    await provisioner.up(program.pool())
    (before,) = await provisioner.instances(program.pool())
    async with asyncio.timeout(10):
        while (await provisioner.instances(program.pool()))[0].note == before.note:  # noqa: ASYNC110
            await asyncio.sleep(POLLED)  # no news is what is tested
    assert news.told == []


async def test_those_that_are_there_longest_come_first(
    provisioner: CommandProvisioner, program: Program
) -> None:
    program.answers(TWO)
    await provisioner.up(program.pool())
    program.answers(ONE, TWO)
    await provisioner.up(program.pool())
    assert ids(await provisioner.instances(program.pool())) == ["two", "one"]


async def test_stop_is_over_when_they_are_gone(provisioner: CommandProvisioner, program: Program) -> None:
    program.answers(ONE, TWO)
    await provisioner.up(program.pool())
    gone_later = json.dumps({"instances": [{"id": "one", "endpoint": "127.0.0.1:8001", "state": "up"}]})
    (program.directory / "later").write_text(gone_later)
    # The second time that it is asked after the stop, it is gone.
    program.does(
        f"cd {program.directory}; case $1 in stop) touch stopping;; esac; "
        "test -e once && cat later || cat answer; test -e stopping && touch once; exit 0"
    )
    await provisioner.stop(program.pool(capacity=1, leaving=("two",)))

    assert program.asked("stop")["leaving"] == ["two"]
    assert ids(await provisioner.instances(program.pool())) == ["one"]


async def test_what_does_not_go_is_a_failure(provisioner: CommandProvisioner, program: Program) -> None:
    program.answers(ONE)
    with pytest.raises(ProvisioningFailed, match=r"shop v2 \(green, revision 7\): not gone 0.5 s .*: one\."):
        await provisioner.stop(program.pool(capacity=0, timeout=0.5))


async def test_a_pool_that_is_over_is_not_looked_at(
    provisioner: CommandProvisioner, program: Program
) -> None:
    await provisioner.up(program.pool())
    await provisioner.stop(program.pool(capacity=0))
    asked = len(program.verbs())
    await asyncio.sleep(5 * POLLED)  # nothing tells of what does not happen
    assert len(program.verbs()) == asked


async def test_a_pool_that_is_left_alone_is_not_looked_at_either(
    provisioner: CommandProvisioner, program: Program
) -> None:
    await provisioner.up(program.pool())
    provisioner.leave_alone(program.pool())
    asked = len(program.verbs())
    await asyncio.sleep(5 * POLLED)  # nothing tells of what does not happen
    assert len(program.verbs()) == asked
    assert "stop" not in program.verbs()


async def test_how_each_is(provisioner: CommandProvisioner, program: Program) -> None:
    program.answers(
        ("a", "127.0.0.1:1", "up"), ("b", "127.0.0.1:2", "unhealthy"), ("c", "127.0.0.1:3", "draining")
    )
    await provisioner.up(program.pool())
    states = [each.state for each in await provisioner.instances(program.pool())]
    assert states == [InstanceState.UP, InstanceState.UNHEALTHY, InstanceState.DRAINING]


NONSENSE = [
    ("", "nothing was written to standard output"),
    ("all is well", "no JSON .*'all is well'"),
    ("[" * 100_000, "no JSON"),
    ("[]", r"the answer: expected an object, not \[\]"),
    ("{}", r'expected {"instances": \[...\]}, not {}'),
    ('{"instances": {}}', "expected"),
    ('{"instances": [1]}', r"instances\[0\]: expected an object, not 1"),
    ('{"instances": [{"endpoint": "h:1", "state": "up"}]}', r"instances\[0\].id: .* not None"),
    ('{"instances": [{"id": "a\\nb", "endpoint": "h:1", "state": "up"}]}', r"instances\[0\].id"),
    ('{"instances": [{"id": "a", "endpoint": 80, "state": "up"}]}', r"\[0\].endpoint: expected a text"),
    ('{"instances": [{"id": "a", "endpoint": "1.2.3:80", "state": "up"}]}', r"\[0\].endpoint: .*no address"),
    (
        '{"instances": [{"id": "a", "endpoint": "nosuch.invalid:80", "state": "up"}]}',
        "'nosuch.invalid' cannot be resolved here",
    ),
    (
        '{"instances": [{"id": "a", "endpoint": "127.0.0.1:1", "state": "fine"}]}',
        "'fine' is none of starting",
    ),
    ('{"instances": [{"id": "a", "endpoint": "127.0.0.1:1", "state": []}]}', r"\[0\].state"),
    ('{"instances": [{"id": "a", "endpoint": "127.0.0.1:1", "state": "up", "note": 1}]}', r"\[0\].note"),
    ('{"instances": [{"id": "a", "endpoint": "127.0.0.1:1", "state": "up", "since": NaN}]}', r"\[0\].since"),
    (
        '{"instances": [{"id": "a", "endpoint": "127.0.0.1:1", "state": "up"},'
        ' {"id": "a", "endpoint": "127.0.0.1:2", "state": "up"}]}',
        r"instances\[1\]: a stands there twice",
    ),
    (
        '{"instances": [{"id": "a", "endpoint": "127.0.0.1:1", "state": "up"},'
        ' {"id": "b", "endpoint": "127.0.0.1:1", "state": "up"}]}',
        r"instances\[1\]: 127.0.0.1:1 stands there twice",
    ),
    (json.dumps({"instances": [0] * 10_001}), "10001 are too many"),
    ("x" * (MAXIMUM_ANSWER + 1), "more than 1024 KiB"),
]


@pytest.mark.parametrize(("text", "complaint"), NONSENSE, ids=range(len(NONSENSE)))
async def test_nonsense(provisioner: CommandProvisioner, program: Program, text: str, complaint: str) -> None:
    program.says(text)
    with pytest.raises(
        ProvisioningFailed, match=rf"^shop v2 \(green, revision 7\): \S*/program up: .*{complaint}"
    ) as failure:
        await provisioner.up(program.pool())
    assert len(str(failure.value)) < 1000
    with pytest.raises(ProvisioningFailed, match=complaint):
        await provisioner.instances(program.pool())


async def test_the_largest_answer_is_taken(provisioner: CommandProvisioner, program: Program) -> None:
    program.says('{"instances": []}'.ljust(MAXIMUM_ANSWER))
    await provisioner.up(program.pool())
    assert await provisioner.instances(program.pool()) == ()


async def test_one_that_fails_is_quoted(provisioner: CommandProvisioner, program: Program) -> None:
    program.does("echo '{\"instances\": []}'; seq 10000 >&2; echo 'out of quota' >&2; exit 3")
    with pytest.raises(
        ProvisioningFailed, match=r"(?s)up: exit status 3: .*\n10000\nout of quota$"
    ) as failure:
        await provisioner.up(program.pool())
    assert len(str(failure.value)) < 1300

    program.does("kill -9 $$")
    with pytest.raises(ProvisioningFailed, match=r"up: ended by signal 9\.$"):
        await provisioner.up(program.pool())

    missing = ProvisionerCommand(("/no/such/program",), 10.0, POLLED)
    with pytest.raises(ProvisioningFailed, match="'/no/such/program' cannot be started: No such file"):
        await provisioner.up(Pool("shop", "blue", 8, "v3", missing, 1))


async def test_one_that_hangs_is_stopped_with_its_children(
    provisioner: CommandProvisioner, program: Program
) -> None:
    pids = program.directory / "pids"
    program.does(f"sleep 60 & echo $$ $! > {pids}; echo waiting >&2; wait")
    with pytest.raises(ProvisioningFailed, match=r"up: not done within 0.5 s, and stopped: waiting"):
        await provisioner.up(program.pool(timeout=0.5))
    for pid in pids.read_text().split():
        await gone(int(pid))


async def test_one_that_never_stops_writing_is_killed_at_once(
    provisioner: CommandProvisioner, program: Program
) -> None:
    program.does("yes; sleep 60")
    began = asyncio.get_running_loop().time()
    with pytest.raises(ProvisioningFailed, match="more than 1024 KiB"):
        await provisioner.up(program.pool(timeout=60.0))
    assert asyncio.get_running_loop().time() - began < 5


async def test_a_failed_look_keeps_what_was_known_and_notes_why(
    provisioner: CommandProvisioner, program: Program
) -> None:
    news = News(provisioner)
    program.answers(ONE)
    await provisioner.up(program.pool())
    program.does("echo 'the cloud is away' >&2; exit 1")
    (one,) = await news.until(program.pool(), lambda all_: bool(all_[0].note))
    assert (one.id, one.state) == ("one", InstanceState.UP)
    assert re.search(r"endpoints: exit status 1: the cloud is away$", one.note)

    program.answers(ONE)
    await news.until(program.pool(), lambda all_: not all_[0].note)
    assert len(news.told) == 2


async def test_one_at_a_time_a_pool(provisioner: CommandProvisioner, program: Program) -> None:
    lock = program.directory / "lock"
    program.does(f"mkdir {lock} || exit 9; sleep 0.1; rmdir {lock}; cat {program.directory}/answer")
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(provisioner.up(program.pool()))
    assert program.verbs().count("up") == 4


async def test_what_is_asked_meanwhile_changes_no_question(
    provisioner: CommandProvisioner, program: Program
) -> None:
    program.does(f"sleep 0.2; cat {program.directory}/answer")
    async with asyncio.TaskGroup() as group:
        group.create_task(provisioner.up(program.pool()))
        group.create_task(provisioner.stop(program.pool(leaving=("old",))))
        group.create_task(provisioner.up(program.pool(capacity=3)))
    assert program.asked("stop")["leaving"] == ["old"]
    assert program.asked("up")["capacity"] == 3


async def test_left_it_kills_what_runs(program: Program, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    program.does(f"test $1 = up || {{ echo $$ > {pid}; sleep 60; }}; cat {tmp_path}/answer")
    async with CommandProvisioner.open() as provisioner:
        await provisioner.up(program.pool())
        async with asyncio.timeout(10):
            while not (pid.exists() and pid.read_text()):  # noqa: ASYNC110 - a file tells nobody
                await asyncio.sleep(0.02)
    await gone(int(pid.read_text()))


async def test_its_environment_holds_no_secret_of_ours(program: Program, tmp_path: Path) -> None:
    program.does(f"env > {tmp_path}/environment; cat {tmp_path}/answer")
    async with CommandProvisioner.open({"PATH": os.environ["PATH"], "TOKEN": "hunter2"}) as provisioner:
        await provisioner.up(program.pool())
    assert "hunter2" not in (tmp_path / "environment").read_text()


async def test_no_descriptor_is_left(provisioner: CommandProvisioner, program: Program) -> None:
    await provisioner.up(program.pool())
    await provisioner.stop(program.pool(capacity=0))
    before = len(os.listdir("/proc/self/fd"))
    for script in ("yes", "exit 1", f"cat {program.directory}/answer"):
        program.does(script)
        for _ in range(3):
            try:
                await provisioner.stop(program.pool(capacity=0))
            except ProvisioningFailed:
                provisioner._polling.end(("shop", 7))
    assert len(os.listdir("/proc/self/fd")) == before
