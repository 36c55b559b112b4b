"""What gates said, as Prometheus is told it: of a real controller with a simulated fleet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from bluegreen.model.acceptance_test import HttpTest
from bluegreen.model.gates import Gates
from bluegreen.model.verdict import Verdict
from bluegreen.rollout.operations import DeployCommand
from bluegreen.telemetry.figures import Figures
from tests.rollout.test_check_runner import ANALYSIS, STEPS, answers
from tests.rollout.test_controller import ANNA, QUICK, Running, catalogue, control

GATES = Gates(tests=(HttpTest("home"),), analysis=ANALYSIS)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with control(tmp_path / "store.db") as each:
        await each.controller.apply(catalogue(replace(QUICK, gates=GATES, strategy=STEPS)), ANNA)
        yield each


@pytest.fixture
async def exported(running: Running) -> AsyncIterator[CollectorRegistry]:
    registry = CollectorRegistry()
    figures = Figures(running.controller, registry)
    following = asyncio.ensure_future(figures.follow())
    await asyncio.sleep(0)  # it has begun
    yield registry
    following.cancel()


def verdicts(registry: CollectorRegistry, kind: str, verdict: str) -> float | None:
    labels = {"service": "shop", "kind": kind, "verdict": verdict}
    return registry.get_sample_value("bluegreen_gate_verdicts_total", labels)


async def follow_up() -> None:
    """Who counts hears of a decision at the same time as the test does."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_each_verdict_is_counted_from_the_first_on(
    running: Running, exported: CollectorRegistry
) -> None:
    assert verdicts(exported, "tests", "fail") == verdicts(exported, "tests", "pass") == 0
    running.checker.verdicts["home"] = Verdict.FAIL
    await running.controller.deploy(DeployCommand("shop", "v1"), ANNA)
    await running.status(1, "failed")
    running.checker.verdicts.clear()
    await running.release("v2")
    await follow_up()
    assert verdicts(exported, "tests", "fail") == verdicts(exported, "tests", "pass") == 1
    assert verdicts(exported, "hooks", "pass") is None


async def test_what_was_said_before_is_not_counted_again(running: Running) -> None:
    await running.release("v1")
    registry = CollectorRegistry()
    following = asyncio.ensure_future(Figures(running.controller, registry).follow())
    await asyncio.sleep(0)
    assert verdicts(registry, "tests", "pass") == 0
    following.cancel()


async def test_checks_that_run_are_shown(running: Running, exported: CollectorRegistry) -> None:
    running.checker.answers.clear()
    await running.controller.deploy(DeployCommand("shop", "v1"), ANNA)
    await running.checker.was_asked.wait()
    labels = {"service": "shop", "kind": "tests"}
    assert exported.get_sample_value("bluegreen_checks_under_way", labels) == 1
    running.checker.answers.set()
    await running.status(1, "ready")
    assert exported.get_sample_value("bluegreen_checks_under_way", labels) == 0


async def test_what_the_analysis_says_and_how_long_the_way_back_took(
    running: Running, exported: CollectorRegistry
) -> None:
    await running.release("v1")
    await running.controller.deploy(DeployCommand("shop", "v2"), ANNA)
    await running.status(2, "ready")
    await running.controller.promote("shop", ANNA)
    await running.until(lambda view: view.observation is not None)
    labels = {"service": "shop", "version": "v2", "revision": "2"}
    says = {
        verdict: exported.get_sample_value("bluegreen_analysis_verdict", {**labels, "verdict": verdict})
        for verdict in Verdict
    }
    assert says == {"pass": 0, "inconclusive": 1, "error": 0, "fail": 0}
    assert exported.get_sample_value("bluegreen_turn_back_seconds_count", {"service": "shop"}) == 0
    running.switch.reported_figures = answers(5)
    await running.status(2, "failed")
    await follow_up()
    assert exported.get_sample_value("bluegreen_turn_back_seconds_count", {"service": "shop"}) == 1
    assert verdicts(exported, "analysis", "fail") == 1
