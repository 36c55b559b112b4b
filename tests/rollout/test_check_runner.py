"""Checks that are run: by a controller over a real store, with the world outside as a script."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bluegreen.model.acceptance_test import HttpTest
from bluegreen.model.analysis import Analysis, WebhookSource
from bluegreen.model.check import Check, CheckKind
from bluegreen.model.condition import parse_condition
from bluegreen.model.gates import Gates
from bluegreen.model.hook import Hook, Moment, OnHookFailure
from bluegreen.model.revision_figures import RevisionFigures, ServiceFigures
from bluegreen.model.strategy import Step, Strategy
from bluegreen.model.verdict import Verdict
from bluegreen.rollout.operations import DeployCommand, ServiceView
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


async def use(running: Running, gates: Gates, strategy: Strategy = STEPS) -> None:
    await running.controller.apply(catalogue(replace(QUICK, gates=gates, strategy=strategy)), ANNA)


def latest(view: ServiceView) -> Check:
    return view.aggregate.checks[-1]


async def test_tests_run_by_themselves_and_their_words_are_kept(running: Running) -> None:
    await use(running, Gates(tests=TESTS))
    running.checker.verdicts["cart"] = Verdict.FAIL
    await running.controller.deploy(DeployCommand("shop", "v1"), ANNA)
    await running.until(lambda view: bool(view.aggregate.checks) and not latest(view).is_open)
    assert running.checker.names() == ["home", "cart"]
    (check,) = await running.store.checks("shop")
    assert (check.kind, check.verdict) == (CheckKind.TESTS, Verdict.FAIL)
    assert [finding.output for finding in check.findings] == ["what it printed", "what it printed"]
    assert "1 of 2 tests failed: cart: it said fail" in check.summary
    _, target = running.checker.asked[0]
    assert (target.service, target.version, target.environment) == ("shop", "v1", "blue")
    assert (target.domain, target.url) == ("shop.example.com", "http://127.0.0.1:10001")


async def test_what_nobody_waits_for_any_more_is_cancelled(running: Running) -> None:
    await use(running, Gates(tests=TESTS))
    running.checker.answers.clear()
    await running.controller.deploy(DeployCommand("shop", "v1"), ANNA)
    await running.checker.was_asked.wait()
    await running.controller.abort("shop", ANNA)
    await running.checker.was_given_up.wait()
    assert not latest(running.controller.view("shop")).is_open
    running.checker.answers.set()
    await running.controller.deploy(DeployCommand("shop", "v2"), ANNA)
    await running.status(2, "ready")
    assert running.checker.names() == ["home", "home", "cart"]


async def test_what_was_asked_when_the_process_was_killed_is_asked_again(tmp_path: Path) -> None:
    async with control(tmp_path / "store.db") as before:
        await before.controller.apply(catalogue(QUICK), ANNA)
        await use(before, Gates(tests=TESTS))
        before.checker.answers.clear()
        await before.controller.deploy(DeployCommand("shop", "v1"), ANNA)
        await before.checker.was_asked.wait()
    async with control(tmp_path / "store.db") as after:
        await after.status(1, "ready")
        assert after.checker.asked[0][1].key == before.checker.asked[0][1].key
        assert len(await after.store.checks("shop")) == 1


async def test_a_hook_that_may_be_ignored_ends_nothing(running: Running) -> None:
    hooks = (
        Hook("chat", Moment.BEFORE_DEPLOY, command=("x",), on_failure=OnHookFailure.IGNORE),
        Hook("freeze", Moment.BEFORE_DEPLOY, command=("x",)),
        Hook("never", Moment.BEFORE_DEPLOY, command=("x",)),
    )
    await use(running, Gates(hooks=hooks))
    running.checker.verdicts.update(chat=Verdict.FAIL, freeze=Verdict.FAIL)
    await running.controller.deploy(DeployCommand("shop", "v1"), ANNA)
    await running.until(lambda view: all(d.status == "failed" for d in view.aggregate.deployments))
    assert running.checker.names() == ["chat", "freeze"]
    assert latest(running.controller.view("shop")).verdict is Verdict.FAIL
    running.checker.verdicts["freeze"] = Verdict.PASS
    await running.controller.deploy(DeployCommand("shop", "v2"), ANNA)
    await running.status(2, "ready")


def answers(candidate_failures: int) -> ServiceFigures:
    return ServiceFigures(
        {
            1: RevisionFigures(seconds=0.2, answers=1000),
            2: RevisionFigures(
                seconds=0.2, answers=100, failures=candidate_failures, first_failure_at=1_000_000.0
            ),
        },
        gateway_answers=1100,
    )


async def shift(running: Running, analysis: Analysis = ANALYSIS) -> None:
    await use(running, Gates(analysis=analysis))
    await running.release("v1")
    await running.controller.deploy(DeployCommand("shop", "v2"), ANNA)
    await running.status(2, "ready")
    await running.controller.promote("shop", ANNA)


async def test_a_version_that_answers_well_goes_all_the_way(running: Running) -> None:
    running.switch.reported_figures = answers(0)
    await shift(running)
    await running.status(2, "active")
    verdicts = [check.verdict for check in await running.store.checks("shop")]
    assert verdicts == [Verdict.PASS]


async def test_a_version_that_answers_badly_is_turned_back(running: Running) -> None:
    running.switch.reported_figures = answers(5)
    await shift(running)
    await running.status(2, "failed")
    (check,) = await running.store.checks("shop")
    assert "95 %" in check.summary
    assert running.switch.weights() == {"blue": 100}


async def test_a_version_that_turns_bad_with_all_traffic_is_rolled_back(running: Running) -> None:
    running.switch.reported_figures = answers(0)
    await shift(running)
    await running.status(2, "active")
    running.switch.reported_figures = answers(50)
    await running.status(1, "active")


async def test_who_is_told_of_a_rollback_is_told_why(running: Running) -> None:
    running.switch.reported_figures = answers(0)
    await shift(running)
    await running.status(2, "active")
    hooks = (Hook("tell", Moment.AFTER_ROLLBACK, command=("x",)),)
    await use(running, Gates(analysis=ANALYSIS, hooks=hooks))
    running.switch.reported_figures = answers(50)
    await running.status(1, "active")
    await running.checker.was_asked.wait()
    (asked,) = running.checker.asked
    assert "success_rate 50 %" in asked[1].reason


async def test_a_hook_is_told_where_its_version_is_reached_by_then(running: Running) -> None:
    hooks = tuple(Hook(each, each, command=("x",)) for each in (Moment.BEFORE_SHIFT, Moment.AFTER_SHIFT))
    await use(running, Gates(hooks=hooks))
    await running.release("v1")
    await running.until(lambda view: not latest(view).is_open)
    assert [(name, target.url) for name, target in running.checker.asked] == [
        ("before-shift", "http://127.0.0.1:10001"),
        ("after-shift", "http://127.0.0.1:10000"),
    ]


async def test_sources_alone_need_no_requests(running: Running) -> None:
    running.switch.reported_figures = ServiceFigures(gateway_answers=3)
    source = WebhookSource("judge", "http://127.0.0.1:1/", interval=0.05)
    await shift(running, replace(ANALYSIS, conditions=(), sources=(source,)))
    await running.status(2, "active")


async def test_tests_that_are_changed_while_they_run_begin_anew(running: Running) -> None:
    await use(running, Gates(tests=TESTS))
    running.checker.answers.clear()
    await running.controller.deploy(DeployCommand("shop", "v1"), ANNA)
    await running.checker.was_asked.wait()
    running.checker.was_asked.clear()
    await use(running, Gates(tests=(HttpTest("stricter"), *TESTS)))
    await running.checker.was_asked.wait()
    running.checker.verdicts["stricter"] = Verdict.FAIL
    running.checker.answers.set()
    await running.until(lambda view: not latest(view).is_open)
    assert running.checker.names() == ["home", "stricter", "home", "cart"]
    assert latest(running.controller.view("shop")).verdict is Verdict.FAIL


async def test_sources_are_asked_and_count(running: Running) -> None:
    running.switch.reported_figures = answers(0)
    running.checker.verdicts["judge"] = Verdict.FAIL
    source = WebhookSource("judge", "http://127.0.0.1:1/", interval=0.05)
    await shift(running, replace(ANALYSIS, sources=(source,)))
    await running.status(2, "failed")
    assert running.checker.names().count("judge") == ANALYSIS.failures
    assert running.checker.asked[0][1].percent == 10
