"""The demo application answers its version and goes down without dropping anything."""

from __future__ import annotations

import asyncio
import hashlib
import sys

import aiohttp
import pytest

from bluegreen.app.demo.faults import FAULT_HEADER, Faults
from bluegreen.app.demo.processes import ChildFailed, ChildProcesses, Command
from tests.support.application_process import ApplicationProcess
from tests.support.fixtures import StartApplication


async def until_draining(session: aiohttp.ClientSession, process: ApplicationProcess) -> None:
    while True:
        async with session.get(f"{process.url}/healthz") as answer:
            if answer.status == 503:
                return


async def ask_for_ever(session: aiohttp.ClientSession, process: ApplicationProcess) -> None:
    while True:
        async with session.get(f"{process.url}/healthz"):
            pass


async def test_get_answers_the_version(application: StartApplication) -> None:
    process = await application("v1", environment="blue")
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{process.url}/any/path?request=7") as answer,
    ):
        assert (answer.status, answer.headers["x-version"]) == (200, "v1")
        assert answer.headers["x-environment"] == "blue"
        body = await answer.json()
    assert (body["version"], body["environment"], body["request"]) == ("v1", "blue", "7")


async def test_post_tells_what_arrived(application: StartApplication) -> None:
    process = await application("v2")
    sent = b"x" * 100_000
    async with aiohttp.ClientSession() as session, session.post(process.url, data=sent) as answer:
        body = await answer.json()
    assert (body["length"], body["sha256"]) == (len(sent), hashlib.sha256(sent).hexdigest())


async def test_latency_and_slow_requests_take_their_time(application: StartApplication) -> None:
    process = await application("v1", latency=0.05)
    clock = asyncio.get_running_loop().time
    async with aiohttp.ClientSession() as session:
        began = clock()
        async with session.get(process.url) as answer:
            assert answer.status == 200
        assert clock() - began >= 0.05
        began = clock()
        async with session.get(f"{process.url}/slow?seconds=0.2") as answer:
            assert answer.status == 200
        assert clock() - began >= 0.25


async def test_an_absurd_wait_is_refused(application: StartApplication) -> None:
    process = await application("v1")
    async with aiohttp.ClientSession() as session:
        for seconds in ("-1", "61", "nan", "inf", "soon"):
            async with session.get(f"{process.url}/slow?seconds={seconds}") as answer:
                assert answer.status == 400


async def test_a_websocket_echoes_and_is_told_goodbye(application: StartApplication) -> None:
    process = await application("v1")
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{process.url}/ws") as websocket,
        asyncio.TaskGroup() as tasks,
    ):
        await websocket.send_str("hello")
        assert await websocket.receive_str() == "hello"
        await websocket.send_bytes(b"\x00")
        assert await websocket.receive_bytes() == b"\x00"
        stopped = tasks.create_task(process.stop())
        assert (await websocket.receive()).type is aiohttp.WSMsgType.CLOSE
        assert websocket.close_code == aiohttp.WSCloseCode.GOING_AWAY
        assert await stopped == 0


async def test_sigterm_is_answered_by_a_lame_duck_that_finishes_everything(
    application: StartApplication,
) -> None:
    process = await application("v1", lame_duck=0.5)
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
        async with session.get(f"{process.url}/healthz") as healthy:
            assert healthy.status == 200
        stopped = tasks.create_task(process.stop())
        await until_draining(session, process)
        # New requests are still taken, on connections that then end, and outlast the lame-duck time.
        async with session.get(f"{process.url}/slow?seconds=1") as late:
            assert (late.status, late.headers["Connection"]) == (200, "close")
            assert (await late.json())["version"] == "v1"
        assert await stopped == 0
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(process.url)


async def test_a_body_that_arrives_after_the_lame_duck_is_taken(application: StartApplication) -> None:
    process = await application("v1", lame_duck=0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
        writer.write(b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 4\r\n\r\n")
        stopped = tasks.create_task(process.stop())
        with pytest.raises(aiohttp.ClientConnectorError):
            await ask_for_ever(session, process)
        writer.write(b"body")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        writer.close()
        assert await stopped == 0


async def test_a_request_longer_than_the_grace_is_given_up(application: StartApplication) -> None:
    process = await application("v1", grace=0.2)
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
        stopped = tasks.create_task(process.stop())
        await until_draining(session, process)
        with pytest.raises(aiohttp.ClientError):
            await session.get(f"{process.url}/slow?seconds=60")
        assert await stopped == 0


async def test_a_taken_port_is_told(application: StartApplication, children: ChildProcesses) -> None:
    process = await application("v1")
    with pytest.raises(ChildFailed, match=rf"cannot listen on 127\.0\.0\.1:{process.port} .*--port"):
        await application("v2", port=process.port)


async def test_a_mistake_on_the_command_line_is_told(children: ChildProcesses) -> None:
    module = "bluegreen.app.demo.application"
    child = await children.start(
        Command("mistaken", (sys.executable, "-m", module, "--port=x", "--version=1"))
    )
    assert await child.exited() == 2
    assert "--port: invalid int value" in child.last_lines()


async def test_it_counts_what_reaches_it_by_host_without_health_checks(application: StartApplication) -> None:
    process = await application("v1")
    async with aiohttp.ClientSession() as session:
        for path, host in (
            ("/", "shop"),
            ("/smoke", "preview"),
            ("/slow?seconds=0", "shop"),
            ("/healthz", "x"),
        ):
            async with session.get(process.url + path, headers={"Host": host}) as answer:
                assert answer.status == 200
        async with session.get(f"{process.url}/count") as answer:
            assert await answer.json() == {"shop": 2, "preview": 1}


async def test_one_that_fails_its_smoke_test_answers_all_else(application: StartApplication) -> None:
    process = await application("v3", faults=Faults(fail_smoke=True))
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{process.url}/smoke") as answer:
            assert (answer.status, answer.headers.get(FAULT_HEADER)) == (500, None)
        async with session.get(process.url) as answer:
            assert answer.status == 200


async def test_every_nth_request_fails_and_is_marked(application: StartApplication) -> None:
    process = await application("v4", faults=Faults(fail_every=4))
    answers = []
    async with aiohttp.ClientSession() as session:
        for _ in range(10):
            async with session.get(process.url) as answer:
                answers.append((answer.status, answer.headers.get(FAULT_HEADER)))
            async with session.get(f"{process.url}/smoke") as smoke:
                assert smoke.status == 200
    damaged = {number for number, answer in enumerate(answers, 1) if answer == (500, "v4")}
    assert damaged == {2, 6, 10}
    assert answers.count((200, None)) == 7


async def test_it_turns_slow_and_says_so(application: StartApplication) -> None:
    process = await application("v5", faults=Faults(slow=0.1, slow_after=2))
    clock = asyncio.get_running_loop().time
    marks = []
    async with aiohttp.ClientSession() as session:
        for _ in range(3):
            began = clock()
            async with session.get(process.url) as answer:
                assert answer.status == 200
                marks.append(answer.headers.get(FAULT_HEADER))
    assert marks == [None, None, "v5"]
    assert clock() - began >= 0.1


async def test_faults_below_zero_are_refused(children: ChildProcesses) -> None:
    module = "bluegreen.app.demo.application"
    arguments = (sys.executable, "-m", module, "--fail-every=-1", "--version=1")
    child = await children.start(Command("mistaken", arguments))
    assert await child.exited() == 2
    assert "faults are counted from 0" in child.last_lines()
