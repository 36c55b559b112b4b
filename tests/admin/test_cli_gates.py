"""test, approve, and what gates make of the other verbs: the real command against a real controller."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bluegreen.model.acceptance_test import HttpTest
from bluegreen.model.analysis import Analysis, OnFinding
from bluegreen.model.condition import parse_condition
from bluegreen.model.gates import Gates
from bluegreen.model.hook import Hook, Moment
from bluegreen.model.strategy import Step, Strategy
from bluegreen.model.verdict import Verdict
from bluegreen.rollout.operations import DeployCommand
from tests.admin.conftest import AdminServer, Run, serving
from tests.rollout.test_check_runner import answers
from tests.rollout.test_controller import ANNA, QUICK, Running, catalogue, control

TESTS = (HttpTest("home"), HttpTest("cart"))
STEPS = Strategy((Step(10, 0.3), Step(100)))
ANALYSIS = Analysis(
    conditions=(parse_condition("success_rate >= 99"),), window=0.2, interval=0.05, min_requests=10
)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with control(tmp_path / "store.db") as each:
        await each.controller.apply(catalogue(QUICK), ANNA)
        yield each


@pytest.fixture
async def server(running: Running) -> AsyncIterator[AdminServer]:
    async with serving(AdminServer(running.controller, running.store)) as each:
        yield each


async def use(running: Running, gates: Gates, strategy: Strategy = STEPS) -> None:
    await running.controller.apply(catalogue(replace(QUICK, gates=gates, strategy=strategy)), ANNA)


async def deployed(running: Running, version: str) -> None:
    result = await running.controller.deploy(DeployCommand("shop", version), ANNA)
    assert result.deployment is not None
    await running.status(result.deployment, "ready")


async def shifting(running: Running, gates: Gates, strategy: Strategy = STEPS) -> None:
    """v1 is active, v2 ready to be promoted."""
    await use(running, gates, strategy)
    await running.release("v1")
    await deployed(running, "v2")


# --- tests ---


async def test_deploy_tells_which_test_failed_and_what_it_printed(running: Running, run: Run) -> None:
    await use(running, Gates(tests=TESTS))
    running.checker.verdicts["cart"] = Verdict.FAIL
    running.checker.output = "\x1b[31mfirst\nsecond\x07\r\n"
    ended = await run("deploy", "shop", "v1", "--wait")
    assert (ended.code, ended.out) == (1, "")
    *_, home, cart, first, second, error = ended.err.splitlines()
    assert home == "  pass          home: it said pass"
    assert cart == "  fail          cart: it said fail"
    assert (first, second) == ("    |  [31mfirst", "    | second")
    assert error == (
        "Error: v1 (revision 1) failed: 1 of 2 tests failed: cart: it said fail. "
        "Once that is put right: bluegreen retry shop"
    )


async def test_deploy_tells_which_hook_failed(running: Running, run: Run) -> None:
    await use(running, Gates(hooks=(Hook("freeze", Moment.BEFORE_DEPLOY, command=("x",)),)))
    running.checker.verdicts["freeze"] = Verdict.FAIL
    ended = await run("deploy", "shop", "v1", "--wait")
    assert ended.code == 1
    assert "  fail          freeze: it said fail\n    | what it printed\n" in ended.err


async def test_the_tests_run_again_and_are_waited_for(running: Running, run: Run) -> None:
    await use(running, Gates(tests=TESTS))
    await deployed(running, "v1")
    ended = await run("test", "shop")
    assert ended.code == 0
    assert ended.out.splitlines() == [
        "  pass          home: it said pass",
        "  pass          cart: it said pass",
        "The tests have passed (2 of 2): v1 is ready on blue.",
    ]
    assert "v1 on blue is tested: 2 tests." in ended.err


async def test_tests_that_fail_end_with_1(running: Running, run: Run) -> None:
    await use(running, Gates(tests=TESTS))
    await deployed(running, "v1")
    running.checker.verdicts["home"] = Verdict.ERROR
    ended = await run("test", "shop")
    assert ended.code == 1
    assert ended.out.splitlines() == [
        "  error         home: it said error",
        "    | what it printed",
        "  pass          cart: it said pass",
    ]
    assert ended.err.endswith("Error: 1 of 2 tests failed: home: it said error.\n")


async def test_the_tests_of_the_active_version_as_json(running: Running, run: Run) -> None:
    await use(running, Gates(tests=TESTS))
    await running.release("v1")
    running.checker.verdicts["home"] = Verdict.FAIL
    running.checker.output = "\x9b31m"
    ended = await run("test", "shop", "--active", "-o", "json")
    assert ended.code == 1
    assert "\x9b" not in ended.out
    check = json.loads(ended.out)["check"]
    assert (check["kind"], check["verdict"], check["deployment_revision"]) == ("tests-of-active", "fail", 1)
    assert [each["verdict"] for each in check["findings"]] == ["fail", "pass"]
    assert check["findings"][0]["output"] == "\x9b31m"


async def test_without_waiting_it_ends_when_they_have_begun(running: Running, run: Run) -> None:
    await use(running, Gates(tests=TESTS))
    await deployed(running, "v1")
    running.checker.answers.clear()
    ended = await run("test", "shop", "--no-wait")
    assert (ended.code, ended.out) == (0, "v1 on blue is tested: 2 tests.\n")
    assert "\nTests of v1: under way for " in (await run("status", "shop")).out
    running.checker.answers.set()
    await running.status(1, "ready")
    running.checker.answers.clear()
    assert (await run("test", "shop", "--timeout", "100ms")).code == 4


async def test_what_has_no_tests_is_refused(run: Run) -> None:
    ended = await run("test", "shop")
    assert (ended.code, ended.out) == (5, "")
    assert "services.shop.gates.tests" in ended.err


# --- analysis ---


async def test_promote_tells_that_an_analysis_turned_it_back(running: Running, run: Run) -> None:
    running.switch.reported_figures = answers(5)
    await shifting(running, Gates(analysis=ANALYSIS))
    ended = await run("promote", "shop", "--wait")
    assert (ended.code, ended.out) == (3, "")
    assert "  fail          success_rate >= 99: success_rate 95 % of 100" in ended.err
    error = ended.err.splitlines()[-1]
    assert error.startswith(
        "Error: v2 has failed and was turned back. Reason: The analysis at 10 % is fail: "
    )
    assert error.endswith(" s after the first bad answer.")
    assert ", skew 0 ms; every proxy had turned back " in (await run("status", "shop")).out


async def test_promote_tells_what_can_be_done_where_too_little_is_known(running: Running, run: Run) -> None:
    await shifting(running, Gates(analysis=ANALYSIS))
    ended = await run("promote", "shop", "--wait")
    assert (ended.code, ended.out) == (1, "")
    assert "paused at 10 %: The analysis at 10 % is inconclusive" in ended.err
    assert "promote shop, watch it anew with bluegreen resume shop, or return with bluegreen abort shop" in (
        ended.err
    )


async def test_promote_tells_what_can_be_done_where_a_failure_pauses(running: Running, run: Run) -> None:
    running.switch.reported_figures = answers(5)
    await shifting(running, Gates(analysis=replace(ANALYSIS, on_fail=OnFinding.PAUSE)))
    ended = await run("promote", "shop", "--wait")
    assert ended.code == 1
    assert "Watch it anew with bluegreen resume shop, or return with bluegreen abort shop" in ended.err
    assert "bluegreen promote shop" not in ended.err.splitlines()[-1]


async def test_the_status_shows_the_analysis_while_it_runs(running: Running, run: Run) -> None:
    running.switch.reported_figures = answers(0)
    await shifting(running, Gates(analysis=ANALYSIS), Strategy((Step(10, None), Step(100))))
    await running.controller.promote("shop", ANNA)
    await running.until(
        lambda view: view.observation is not None and view.observation.verdict is Verdict.PASS
    )
    shown = (await run("status", "shop")).out
    assert "\nAnalysis of v2 beside v1 at 10 %: pass, watched for " in shown
    (row,) = [line.split() for line in shown.splitlines() if line.startswith("  success_rate >= 99")]
    name, verdict, passes, others = row[:3], row[3], int(row[4]), row[5:8]
    assert (" ".join(name), verdict, others) == ("success_rate >= 99", "pass", ["0", "0", "0"])
    assert passes >= 1
    seen = json.loads((await run("status", "shop", "-o", "json")).out)["observation"]
    assert (seen["candidate_revision"], seen["active_revision"], seen["step"]) == (2, 1, 0)
    (watched,) = [each for each in seen["watched"] if each["last"]["name"] == "success_rate >= 99"]
    assert watched["passes"] >= passes
    assert "success_rate 100 % of 100" in watched["last"]["summary"]


# --- approval ---


async def test_a_step_waits_until_it_is_approved(running: Running, run: Run) -> None:
    await shifting(running, Gates(), Strategy((Step(10, 0.0, approval=True), Step(100))))
    ended = await run("promote", "shop", "--wait")
    assert ended.code == 0
    assert "v2 holds at 10 %" in ended.out
    assert "Next: bluegreen approve shop" in ended.out
    shown = (await run("status", "shop")).out
    assert "holding at 10 % of [10], 100, until that is approved" in shown
    assert "\nRollout 2 leaves 10 % once that is approved: bluegreen approve shop\n" in shown
    ended = await run("approve", "shop", "--actor", "olga", "--reason", "looks well")
    assert (ended.code, ended.out) == (0, "10 % of rollout 2 is approved by olga (looks well).\n")
    await running.status(2, "active")
    told = (await run("events", "shop")).out
    assert "approved  10 % of rollout 2 is approved by olga (looks well).  (olga: looks well)" in told


async def test_there_may_be_nothing_to_approve(run: Run) -> None:
    ended = await run("approve", "shop")
    assert ended.code == 5
    assert "Nothing to approve" in ended.err


# --- what was ---


async def test_history_has_every_verdict(running: Running, run: Run) -> None:
    running.switch.reported_figures = answers(5)
    await use(running, Gates(tests=TESTS, analysis=ANALYSIS))
    await running.release("v1")
    await deployed(running, "v2")
    await running.controller.promote("shop", ANNA)
    await running.status(2, "failed")
    lines = (await run("history", "shop")).out.splitlines()
    verdicts = [line.split() for line in lines[-3:]]
    analysis, of_v2, of_v1 = verdicts
    assert (analysis[1:5], "fail" in analysis) == (["analysis", "2", "2,", "10"], True)
    assert (of_v2[1:4], of_v1[1:4]) == (["tests", "2", "-"], ["tests", "1", "-"])
    assert " s after the first bad answer" in next(line for line in lines if "promote" in line)
    stored = json.loads((await run("history", "shop", "-o", "json")).out)
    assert [each["verdict"] for each in stored["checks"]] == ["fail", "pass", "pass"]
    assert stored["checks"][1]["findings"][0]["output"] == "what it printed"
    assert stored["rollouts"][0]["seconds_from_first_bad"] > 0
