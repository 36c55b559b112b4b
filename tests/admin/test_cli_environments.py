"""environments, scale, logs, and what instances make of the other verbs: the real command against a real
controller."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bluegreen.admin.cli.environments_view import environments_view
from bluegreen.admin.cli.output import show
from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.model.pool import InstanceState, Pool
from bluegreen.model.provisioning import ProcessTemplate, Provisioning
from bluegreen.model.service import Drain, Service
from bluegreen.model.strategy import Strategy
from bluegreen.rollout.operations import DeployCommand
from tests.admin.conftest import AdminServer, Run, Start, serving
from tests.rollout.scripted_provisioner import ScriptedProvisioner
from tests.rollout.test_controller import ANNA, QUICK, Running, catalogue, control

SOURCE = ProcessTemplate(("shop",))
PROVIDED = replace(
    QUICK,
    provisioning=Provisioning(SOURCE, instances=3),
    drain=Drain(grace=0.0, deadline=0.3),
    strategy=Strategy(ready_deadline=3.0),
    endpoints={},
)
HALF = replace(PROVIDED, provisioning=Provisioning(SOURCE, 3, standby_capacity=50), keep_warm=0.1)


class Writing(ScriptedProvisioner):
    """`written` is what every instance has written."""

    written = ""
    lines_asked = 0

    async def log(self, pool: Pool, instance: str, lines: int) -> str:
        self.lines_asked = lines
        return self.written


@pytest.fixture
def provisioner() -> Writing:
    return Writing()


@pytest.fixture
async def running(tmp_path: Path, provisioner: Writing) -> AsyncIterator[Running]:
    async with control(tmp_path / "store.db", provisioner) as each:
        await each.controller.apply(catalogue(PROVIDED), ANNA)
        reports = asyncio.ensure_future(each.switch.report_now_and_then())
        yield each
        reports.cancel()


@pytest.fixture
async def server(running: Running) -> AsyncIterator[AdminServer]:
    async with serving(AdminServer(running.controller, running.store)) as each:
        yield each


async def two_versions(running: Running) -> None:
    """v1 is active on blue, v2 ready on green."""
    await running.release("v1")
    await running.controller.deploy(DeployCommand("shop", "v2"), ANNA)
    await running.status(2, "ready")


async def resting(running: Running) -> None:
    """v2 is active, and v1 rests with 2 of its 3 instances."""
    await running.controller.apply(catalogue(HALF), ANNA)
    await running.release("v1")
    await running.release("v2")
    await running.until(lambda view: len(view.aggregate.deployment(1).instances) == 2)


def rows(shown: str, head: str) -> list[list[str]]:
    """The cells of the table whose first column has this name; cells are two blanks apart."""
    lines = shown.splitlines()
    begin = next(index for index, line in enumerate(lines) if line.startswith(f"{head}  "))
    table = []
    for line in lines[begin + 1 :]:
        if not line.strip():
            break
        table.append([cell.strip() for cell in line.split("  ") if cell.strip()])
    return table


# --- environments ---


async def test_both_environments_with_each_instance_and_who_sees_them(running: Running, run: Run) -> None:
    await two_versions(running)
    running.provisioner.become(("shop", 2), InstanceState.WAITING, "exited with status 1\x1b[2J", first=2)
    await running.until(lambda view: len(view.aggregate.deployment(2).endpoints) == 2)
    ended = await run("environments", "shop")
    assert (ended.code, ended.err) == (0, "")
    blue, green = rows(ended.out, "ENVIRONMENT")
    assert blue[:9] == ["blue", "v1", "1", "active", "3", "3", "3", "0", "process"]
    assert green[:9] == ["green", "v2", "2", "ready", "2", "3", "3", "0", "process"]
    instances = [line.split() for line in ended.out.splitlines() if " 127.0.0.1:" in line]
    assert [each[:5] for each in instances][-2:] == [
        ["green", "2", "i5", "127.0.0.1:20005", "up"],
        ["green", "2", "i6", "127.0.0.1:20006", "waiting"],
    ]
    assert instances[-1][-5:] == ["exited", "with", "status", "1", "[2J"]
    assert "\x1b" not in ended.out
    assert rows(ended.out, "PROXY") == [
        ["edge-1", "edge", "3 of 3", "2 of 3"],
        ["edge-2", "edge", "3 of 3", "2 of 3"],
    ]
    assert "v1 on blue and v2 on green are alike" in ended.out


async def test_the_same_for_a_program(running: Running, run: Run) -> None:
    await two_versions(running)
    told = json.loads((await run("environments", "shop", "-o", "json")).out)
    blue, green = told["deployments"]
    assert blue["capacity"]["provided_by"] == "process"
    assert (blue["capacity"]["wanted"], blue["capacity"]["full"], blue["capacity"]["up"]) == (3, 3, 3)
    assert [each["id"] for each in green["instances"]] == ["i4", "i5", "i6"]
    assert (green["instances"][0]["state"], green["instances"][0]["leaving"]) == ("up", False)
    assert green["capacity"]["scale_up_seconds"] > 0
    assert {each["healthy"] for proxy in told["proxies"] for each in proxy["backends"]} == {3}
    assert told["disparities"] == []
    without = json.loads((await run("status", "shop", "-o", "json")).out)
    assert [each["instances"] for each in without["deployments"]] == [[], []]


async def test_of_what_was_handed_in_only_the_endpoints_are_known(running: Running, run: Run) -> None:
    await running.controller.apply(catalogue(QUICK), ANNA)
    ended = await run("environments", "shop")
    assert rows(ended.out, "ENVIRONMENT") == [["blue", "-", "-", "empty"], ["green", "-", "-", "empty"]]
    await running.release("v1")
    ended = await run("environments", "shop")
    given = len(QUICK.endpoints["blue"])  # type: ignore[index]  # a StrEnum
    assert rows(ended.out, "ENVIRONMENT")[0][4:] == ["-", str(given), str(given), "-", "hand", "-"]
    assert "There is nothing to compare" in ended.out


def test_what_a_proxy_has_not_said_is_not_made_up(capsys: pytest.CaptureFixture[str]) -> None:
    status = pb.ServiceStatus(
        service="shop",
        deployments=[pb.Deployment(revision=1, version="v1", environment="blue", status="deploying")],
        proxies=[
            pb.ProxyView(proxy="edge-1", gateway="edge", connected=True),
            pb.ProxyView(proxy="edge-2", gateway="edge", backends=[backend(healthy=-1)]),
            pb.ProxyView(proxy="edge-3", gateway="edge", connected=True, backends=[backend(healthy=-1)]),
            pb.ProxyView(proxy="edge-4", gateway="edge", connected=True, backends=[backend(healthy=1)]),
        ],
    )
    show(environments_view(status, 0.0))
    seen = [row[2] for row in rows(capsys.readouterr().out, "PROXY")]
    assert seen == ["-", "not known: not connected", "not reported", "1 of 2, warming"]


def backend(healthy: int) -> pb.BackendView:
    return pb.BackendView(revision=1, healthy=healthy, expected=2, warming=healthy > 0)


# --- drift, and the way back ---


async def other_limits(running: Running, service: Service = PROVIDED) -> None:
    """v1 is active, v2 ready with other limits."""
    await running.release("v1")
    fewer = replace(service, upstream=replace(service.upstream, max_requests=5))
    await running.controller.apply(catalogue(fewer), ANNA)
    await running.controller.deploy(DeployCommand("shop", "v2"), ANNA)
    await running.status(2, "ready")


async def test_environments_that_differ_are_refused_with_a_table(running: Running, run: Run) -> None:
    await other_limits(running)
    ended = await run("promote", "shop")
    assert (ended.code, ended.out) == (5, "")
    first, head, limits, last = ended.err.splitlines()
    assert first == "Error: The two environments differ:"
    assert head.split() == ["v1", "on", "blue", "v2", "on", "green"]
    assert limits.startswith("  limits  100000 connections, 100000 requests  ")
    assert last == "Make them the same, or take it on with promote --force --reason."
    ended = await run("promote", "shop", "--force")
    assert ended.code == 5
    assert "say why" in ended.err


async def test_who_takes_a_difference_on_is_recorded_and_the_drift_told(running: Running, run: Run) -> None:
    await other_limits(running)
    ended = await run("promote", "shop", "--force", "--reason", "it needs less", "--actor", "olga", "--wait")
    assert ended.code == 0
    assert "the environments differ: limits" in (await run("status", "shop", "-o", "table")).out.lower()
    shown = (await run("environments", "shop")).out
    assert rows(shown, "WHAT") == [
        ["limits", "100000 connections, 5 requests", "100000 connections, 100000 requests"]
    ]
    told = (await run("events", "shop")).out.splitlines()
    taken = next(index for index, line in enumerate(told) if "  disparity  " in line)
    assert told[taken].endswith(
        "Taken on by olga (it needs less): the environments differ:  (olga: it needs less)"
    )
    assert told[taken + 2].split()[:2] == ["limits", "100000"]


async def test_the_scale_up_of_a_rollback_is_said_beforehand(running: Running, run: Run) -> None:
    await resting(running)
    sentence = "Way back: rollback scales up 2 to 3 instances first, v1 on blue"
    for verb in ("status", "environments"):
        shown = (await run(verb, "shop")).out
        (said,) = [line for line in shown.splitlines() if line.startswith(sentence)]
        assert ("; its last scale-up took " in said) is (verb == "environments")
        assert "differ" not in shown, "a standby that rests is meant to have fewer"
    blue, _ = rows((await run("environments", "shop")).out, "ENVIRONMENT")
    assert blue[4:7] == ["2", "2", "3"]
    await running.controller.rollback("shop", ANNA)
    await running.status(1, "active")
    assert "Way back" not in (await run("status", "shop")).out


# --- scale ---


async def test_scale_waits_until_all_are_up(
    running: Running, run: Run, start: Start, server: AdminServer
) -> None:
    await running.release("v1")
    running.provisioner.state = InstanceState.STARTING
    scaling = await start("scale", "shop", "5", "--wait", "--reason", "sale", admin=server.address)
    await running.until(lambda view: len(view.aggregate.deployment(1).instances) == 5)
    shown = (await run("status", "shop")).out
    assert "v1 on blue: 3 of 5 instances are up" in shown.splitlines()
    running.provisioner.become(("shop", 1), InstanceState.UP)
    ended = await scaling.ends()
    assert (ended.code, ended.out) == (0, "Instances of shop: 5 on blue (v1).\n")
    assert "shop shall have 5 instances an environment." in ended.err
    told = (await run("events", "shop")).out
    assert "shall have 5 instances (now 3): asked by " in told


async def test_scale_waits_until_nobody_leaves(
    running: Running, run: Run, start: Start, server: AdminServer
) -> None:
    await running.release("v1")
    running.switch.silent.add("edge-2")
    scaling = await start("scale", "shop", "1", "--wait", admin=server.address)
    await running.until(lambda view: "leave; acknowledged by 1 of 2" in view.activity)
    shown = (await run("environments", "shop")).out
    assert rows(shown, "ENVIRONMENT")[0][4:8] == ["1", "1", "1", "2"]
    assert "up, leaves" in shown
    assert "v1 on blue: 1 of 1 instance is up, 2 leave" in (await run("status", "shop")).out.splitlines()
    assert scaling.process.returncode is None
    running.switch.speak("edge-2")
    ended = await scaling.ends()
    assert (ended.code, ended.out) == (0, "Instances of shop: 1 on blue (v1).\n")


async def test_scale_ends_with_1_where_an_instance_cannot_be_had(
    running: Running, start: Start, server: AdminServer
) -> None:
    await running.release("v1")
    running.provisioner.state = InstanceState.STARTING
    scaling = await start("scale", "shop", "4", "--wait", admin=server.address)
    await running.until(lambda view: len(view.aggregate.deployment(1).instances) == 4)
    running.provisioner.become(("shop", 1), InstanceState.FAILED, "no memory is left", first=3)
    ended = await scaling.ends()
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.splitlines()[-1] == ("Error: v1 on blue: 3 of 4 instances are up; i4: no memory is left")


async def test_what_the_provisioner_said_is_told(running: Running, run: Run) -> None:
    await running.release("v1")
    running.provisioner.broken = "no quota is left"
    ended = await run("scale", "shop", "4", "--timeout", "300ms")
    assert ended.code == 4
    await running.until(lambda view: bool(view.aggregate.deployment(1).note))
    for verb in ("status", "environments"):
        assert "v1 on blue lacks instances: no quota is left" in (await run(verb, "shop")).out.splitlines()


async def test_what_is_not_taken_of_the_provisioner_is_told(running: Running, run: Run) -> None:
    await two_versions(running)
    first, *others = running.provisioner.pools["shop", 1]
    theirs = running.provisioner.pools["shop", 2][0].endpoint
    running.provisioner.pools["shop", 1] = [replace(first, endpoint=theirs), *others]
    running.provisioner.become(("shop", 1), InstanceState.UP)
    await running.until(lambda view: view.aggregate.deployment(1).note != "")
    told = (
        f"v1 on blue keeps the instances that it has: {theirs} serves v2 on green already: blue needs "
        "instances of its own."
    )
    for verb in ("status", "environments"):
        assert told in (await run(verb, "shop")).out.splitlines()


async def test_an_instance_that_is_not_well_is_shown(running: Running, run: Run) -> None:
    await running.release("v1")
    running.provisioner.become(("shop", 1), InstanceState.UNHEALTHY, "answered /ready with status 503", 2)
    await running.until(lambda view: view.aggregate.deployment(1).up == 2)
    note = "answered /ready with status 503"
    shown = (await run("environments", "shop")).out
    (line,) = (each for each in shown.splitlines() if " i3 " in each)
    assert line.split()[4:5] == ["unhealthy"]
    assert line.endswith(note)
    assert "edge-1  edge     2 of 3" in shown
    status = (await run("status", "shop")).out
    assert f"v1 on blue: 2 of 3 instances are up; i3: {note}" in status.splitlines()


async def test_what_cannot_be_scaled_is_refused(running: Running, run: Run) -> None:
    await running.controller.apply(catalogue(QUICK), ANNA)
    await running.release("v1")
    ended = await run("scale", "shop", "2", "--wait")
    assert ended.code == 5
    assert "handed in" in ended.err
    assert (await run("scale", "shop", "0")).code == 2


# --- logs ---


async def test_the_log_of_an_instance(running: Running, run: Run, provisioner: Writing) -> None:
    await running.release("v1")
    provisioner.written = "one\n\x1b]0;title\x07two\tthree\n"
    ended = await run("logs", "shop", "i2", "--lines", "7")
    assert (ended.code, ended.out) == (0, "one\n]0;titletwo     three\n")
    assert provisioner.lines_asked == 7
    told = json.loads((await run("logs", "shop", "i2", "-o", "json")).out)
    assert told == {"text": "one\n]0;titletwo\tthree\n"}


async def test_an_instance_that_has_written_nothing_or_is_not_there(
    running: Running, run: Run, provisioner: Writing
) -> None:
    await running.release("v1")
    provisioner.written = ""
    ended = await run("logs", "shop", "i1")
    assert (ended.code, ended.out, ended.err) == (0, "", "Nothing is known of what i1 has written.\n")
    ended = await run("logs", "shop", "i9")
    assert ended.code == 2
    assert "no instance 'i9'. Known: i1, i2, i3." in ended.err
    ended = await run("logs", "shop")
    assert (ended.code, ended.err) == (2, "Error: Say which instance: i1 on blue, i2 on blue, i3 on blue.\n")


async def test_the_log_of_a_service_without_instances(running: Running, run: Run) -> None:
    ended = await run("logs", "shop")
    assert (ended.code, ended.err) == (2, "Error: bluegreen has no instances of shop.\n")


# --- what was ---


async def test_an_instance_that_comes_and_goes_does_not_hide_what_else_happened(
    running: Running, run: Run
) -> None:
    await running.release("v1")
    for number in range(6):
        running.provisioner.become(("shop", 1), InstanceState.WAITING, f"exit {number}", first=2)
        await running.until(lambda view: len(view.aggregate.deployment(1).endpoints) == 2)
        running.provisioner.become(("shop", 1), InstanceState.UP)
        await running.until(lambda view: len(view.aggregate.deployment(1).endpoints) == 3)
    shown = (await run("status", "shop")).out
    assert shown.count("  instances-changed  ") == 1
    assert "  activated  v1 on blue has all traffic." in shown
    assert (await run("events", "shop")).out.count("  instances-changed  ") >= 12
