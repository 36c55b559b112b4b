"""Gates that meet the worst: commands that never end, processes that die or fall silent in the middle."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from aiohttp import web

from bluegreen.admin.v1 import admin_pb2 as pb
from tests.release.test_gates import HEALTH, QUICK, candidate, in_steps, turned_back
from tests.release.world import LOOPBACK, ORIGIN, SHOP, World
from tests.support.fixtures import StartApplication, StartLoad
from tests.support.flawed_application import flawed_application

CONDITION = {**QUICK, "conditions": ["success_rate >= 99"]}


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


async def all_gone(world: World, pids: list[str]) -> None:
    """What was killed takes a moment to go."""
    async with asyncio.timeout(10):
        while not all(gone(int(pid)) for pid in pids):
            await world.status()


async def deploying(world: World, version: str, address: str) -> int:
    answer = await world.admin.Deploy(
        pb.DeployRequest(origin=ORIGIN, service=SHOP, version=version, endpoints=[address])
    )
    revision: int = answer.deployment_revision
    return revision


@asynccontextmanager
async def web_server(handler: Any) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", handler)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, 0)
    await site.start()
    try:
        yield f"http://{LOOPBACK}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_a_command_that_never_ends_prints_megabytes_and_leaves_children(
    world: World, application: StartApplication, tmp_path: Path
) -> None:
    children = tmp_path / "children"
    script = (
        f"sleep 1000 & echo $! >> {children}; trap '' TERM; "
        "head -c 5000000 /dev/zero | tr '\\0' x; while :; do sleep 100; done"
    )
    tests = [
        {"name": "endless", "command": ["sh", "-c", script], "timeout": "2s"},
        {"name": "litter", "command": ["sh", "-c", f"sleep 1000 & echo $! >> {children}"]},
    ]
    await world.start(health_check=HEALTH, gates={"tests": tests})
    revision = await deploying(world, "v1", (await application("v1")).address)
    status = await world.until(revision, "failed")
    (failed,) = [each for each in await world.events() if each.what == "failed"]
    assert "endless: not done within 2 s, and stopped" in failed.message
    assert len(failed.message) < 2_000
    assert status.ByteSize() < 60_000
    left_behind = children.read_text().split()
    assert len(left_behind) == 2
    await all_gone(world, left_behind)


async def test_an_abort_while_tests_run_stops_them(
    world: World, application: StartApplication, tmp_path: Path
) -> None:
    children = tmp_path / "children"
    script = f"sleep 1000 & echo $$ $! > {children}.new; mv {children}.new {children}; wait"
    await world.start(
        health_check=HEALTH, gates={"tests": [{"name": "long", "command": ["sh", "-c", script]}]}
    )
    address = (await application("v1")).address
    revision = await deploying(world, "v1", address)
    await world.happens("check-wanted")
    async with asyncio.timeout(10):
        while not children.exists():
            await world.status()
    await world.admin.Abort(pb.CommandRequest(origin=ORIGIN, service=SHOP))
    await world.until(revision, "failed")
    await all_gone(world, children.read_text().split())


async def test_a_hook_that_redirects_or_hangs_lets_nothing_begin(
    world: World, application: StartApplication
) -> None:
    asked: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        if request.path == "/redirects":
            raise web.HTTPTemporaryRedirect("/elsewhere")
        await asyncio.sleep(1000)
        return web.Response()

    async with web_server(handler) as url:
        address = (await application("v1")).address
        await world.start(health_check=HEALTH)
        for number, path in enumerate(("redirects", "hangs"), 1):
            hook = {"name": "freeze", "webhook": {"url": f"{url}/{path}"}, "timeout": "1s"}
            await world.apply(
                world.described(health_check=HEALTH, gates={"hooks": {"before_deploy": [hook]}})
            )
            after = max((each.id for each in await world.events()), default=0)
            await deploying(world, f"v{number}", address)
            await world.happens("released", after=after)
        assert asked == ["/redirects", "/hangs"]
        events = await world.events()
        failed = [each.message for each in events if each.what == "failed"]
        assert "a redirect, which is not followed" in failed[0]
        assert "no whole answer within 1 s" in failed[1]
        for proxy in world.proxies.values():
            assert not await proxy.admin.stats("^cluster\\.bluegreen/shop/.*membership_total$")


async def test_a_proxy_that_stops_reporting_is_missing_data(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    analysis = {"window": "4s", "conditions": ["success_rate >= 99"], "min_requests": 20}
    steps = {"steps": [{"percent": 50, "pause": "3s"}, 100]}
    await world.start(health_check=HEALTH, strategy=steps, gates={"analysis": analysis})
    async with flawed_application("v2") as v2:
        await world.release("v1", [(await application("v1")).address])
        await world.deploy("v2", [v2.address])
        running = await load(world.entry("edge"), rate=100.0)
        await running.until(lambda report: True)
        await world.promote()
        await world.when(lambda status: status.rollout.percent == 50 and status.rollout.state == "holding")
        silent = world.proxies["sidecar"].child
        silent.send(signal.SIGSTOP)
        try:
            status = await world.when(lambda s: s.rollout.state == "paused", timeout=60.0)
            assert "sidecar-1" in status.rollout.reason, status.rollout.reason
        finally:
            silent.send(signal.SIGCONT)
        await world.admin.Resume(pb.CommandRequest(origin=ORIGIN, service=SHOP))
        await world.until(2, "active", timeout=60.0)
        report = await running.stop()
        assert report.failed == 0, report.examples


async def test_a_bad_version_is_told_although_a_proxy_is_silent_and_the_way_back_waits_for_it(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    await world.start(health_check=HEALTH, strategy=in_steps(50), gates={"analysis": CONDITION})
    async with flawed_application("v2") as v2:
        await world.release("v1", [(await application("v1")).address])
        await world.deploy("v2", [v2.address])
        running = await load(world.entry("edge"), rate=100.0)
        await world.promote()
        await world.when(lambda status: status.rollout.percent == 50 and status.rollout.state == "holding")
        silent = world.proxies["sidecar"].child
        silent.send(signal.SIGSTOP)
        try:
            v2.fail_every = 2
            event = await world.happens("turned-back")
            assert "success_rate" in event.message
            status = await world.status()
            assert status.rollout.finished_at == 0, "one proxy may still send it traffic"
        finally:
            silent.send(signal.SIGCONT)
        finished = await turned_back(world)
        assert "first bad answer" in finished.message
        await running.stop()


async def test_an_envoy_that_restarts_in_the_midst_of_a_step_harms_no_verdict(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    analysis = {"window": "4s", "conditions": ["success_rate >= 99", "request_rate >= 1"], "min_requests": 20}
    steps = {"steps": [{"percent": 50, "pause": "8s"}, 100]}
    await world.start(health_check=HEALTH, strategy=steps, gates={"analysis": analysis})
    async with flawed_application("v2") as v2:
        await world.release("v1", [(await application("v1")).address])
        await world.deploy("v2", [v2.address])
        running = await load(world.entry("edge"), rate=100.0)
        await world.promote()
        await world.when(lambda status: status.rollout.percent == 50 and status.rollout.state == "holding")
        await world.proxies["edge"].stop()
        await (await world.start_proxy("edge")).ready()
        await world.until(2, "active", timeout=60.0)
        verdicts = [each.message for each in await world.events() if each.what == "checked"]
        assert any("is pass" in each for each in verdicts), verdicts
        await running.stop()


async def test_killed_in_the_midst_of_a_step_it_watches_on(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    child = await world.start(health_check=HEALTH, strategy=in_steps(50), gates={"analysis": CONDITION})
    async with flawed_application("v2") as v2:
        running = await candidate(world, load, (await application("v1")).address, v2, 50)
        child.send(signal.SIGKILL)
        await child.exited()
        v2.fail_every = 10
        child = await world.start_control_plane()
        event = await world.happens("turned-back", timeout=60.0)
        assert "success_rate" in event.message
        child.send(signal.SIGKILL)
        await child.exited()
        await world.start_control_plane()
        await turned_back(world)
        report = await running.stop()
        assert report.failed == v2.failures, "the active version's requests were not harmed"


async def test_on_fail_pause_leaves_it_to_the_operator(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    analysis = {**CONDITION, "on_fail": "pause"}
    await world.start(health_check=HEALTH, strategy=in_steps(50), gates={"analysis": analysis})
    async with flawed_application("v2") as v2:
        running = await candidate(world, load, (await application("v1")).address, v2, 50)
        v2.fail_every = 5
        status = await world.when(lambda s: s.rollout.state == "paused")
        assert "success_rate" in status.rollout.reason
        for full in (False, True):
            with pytest.raises(grpc.aio.AioRpcError, match="paused"):
                await world.promote(full=full)
        after = (await world.events())[-1].id
        await world.admin.Resume(pb.CommandRequest(origin=ORIGIN, service=SHOP))
        await world.happens("paused", after=after)
        await world.admin.Abort(pb.CommandRequest(origin=ORIGIN, service=SHOP))
        await world.until(2, "ready")
        await running.stop()


async def test_a_dead_old_version_is_no_way_back_until_it_lives_again(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    health = {**HEALTH, "unhealthy_threshold": 1}
    await world.start(health_check=health, gates={"analysis": CONDITION})
    v1 = await application("v1")
    async with flawed_application("v2") as v2:
        running = await candidate(world, load, v1.address, v2, 100)
        await world.until(1, "standby")
        v1.child.send(signal.SIGSTOP)
        await world.when(lambda s: all(_healthy(p, 1) == 0 for p in s.proxies))
        v2.fail_every = 5
        event = await world.happens("checked")
        assert "with all traffic is fail" in event.message
        assert (await world.status()).active_environment
        v1.child.send(signal.SIGCONT)
        await world.until(1, "active")
        verdicts = [each.message for each in await world.events() if each.what == "checked"]
        assert len(verdicts) == 2, verdicts
        await running.stop()


def _healthy(proxy: Any, revision: int) -> int:
    return next((int(b.healthy) for b in proxy.backends if b.revision == revision), -1)


async def test_both_versions_bad_go_back_once(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    await world.start(health_check=HEALTH, gates={"analysis": CONDITION})
    async with flawed_application("v1") as v1, flawed_application("v2") as v2:
        running = await candidate(world, load, v1.address, v2, 100)
        await world.until(1, "standby")
        v1.fail_every = v2.fail_every = 3
        await world.until(1, "active")
        await world.until(2, "standby")
        before = v1.answers
        async with asyncio.timeout(20):
            while v1.answers < before + 1000:
                await running.until(lambda report: True)
        events = [each.what for each in await world.events()]
        assert events.count("reactivated") == 1, "nor is it sent forth again"
        await running.stop()


async def test_a_source_that_is_down_pauses_and_says_so(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    prometheus = {"url": f"http://{LOOPBACK}:1", "query": "up"}
    source = {"name": "orders", "prometheus": prometheus, "condition": ">= 5", "interval": "500ms"}
    analysis = {**CONDITION, "sources": [source]}
    await world.start(health_check=HEALTH, strategy=in_steps(50), gates={"analysis": analysis})
    async with flawed_application("v2") as v2:
        running = await candidate(world, load, (await application("v1")).address, v2, 50)
        status = await world.when(lambda s: s.rollout.state == "paused")
        assert "no connection" in status.rollout.reason
        await world.promote()
        await world.until(2, "active")
        await running.stop()


async def test_preview_and_mirrored_requests_are_not_judged(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    analysis = {"window": "4s", "conditions": ["success_rate >= 99.9"], "min_requests": 20}
    steps = {"steps": [{"percent": 50, "pause": "4s"}, 100]}
    await world.start(
        health_check=HEALTH, strategy=steps, gates={"analysis": analysis}, mirror={"percent": 100}
    )
    async with flawed_application("v2") as v2:
        v2.fail_every = 1
        await world.release("v1", [(await application("v1")).address])
        await world.deploy("v2", [v2.address])
        running = await load(world.entry("edge"), rate=100.0)
        async with asyncio.timeout(20):
            while v2.failures < 50:
                await running.until(lambda report: True)
        async with aiohttp.ClientSession() as session:
            for _ in range(30):
                async with session.get(f"http://{LOOPBACK}:{world.ports.preview['edge']}/") as answer:
                    assert answer.status == 500
        v2.fail_every = 0
        await world.promote()
        await world.until(2, "active", timeout=60.0)
        await running.stop()


async def test_the_tests_of_the_active_version_only_tell_how_it_is(
    world: World, application: StartApplication
) -> None:
    tests = [{"name": "home", "http": {"path": "/", "expect": {"status": 200}}, "repeat": 3}]
    async with flawed_application("v1") as v1:
        await world.start(health_check=HEALTH, gates={"tests": tests})
        await world.release("v1", [v1.address])
        after = (await world.events())[-1].id
        v1.fail_every = 1
        await world.admin.Test(pb.TestRequest(origin=ORIGIN, service=SHOP, active=True))
        event = await world.happens("checked", after=after)
        assert "failed" in event.message
        status = await world.status()
        assert [d.status for d in status.deployments] == ["active"]


async def test_an_apply_may_take_a_source_away_that_is_being_asked(
    world: World, application: StartApplication, load: StartLoad
) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def handler(_: web.Request) -> web.StreamResponse:
        asked.set()
        await answer.wait()
        return web.Response(status=400)

    settings: dict[str, Any] = {"health_check": HEALTH, "strategy": in_steps(50)}
    async with web_server(handler) as url, flawed_application("v2") as v2:
        source = {"name": "judge", "webhook": {"url": url}, "timeout": "30s"}
        child = await world.start(**settings, gates={"analysis": {**CONDITION, "sources": [source]}})
        running = await candidate(world, load, (await application("v1")).address, v2, 50)
        await asked.wait()
        await world.apply(world.described(**settings, gates={"analysis": CONDITION}))
        await world.when(lambda s: all(each.last.name != "judge" for each in s.observation.watched))
        answer.set()
        await world.promote()
        await world.until(2, "active")
        assert child.returncode is None, "an answer that nobody waits for any more is not heard"
        await running.stop()
