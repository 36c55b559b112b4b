"""A bad version goes back once, crashed at whichever boundary between two effects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bluegreen.model.analysis import Analysis
from bluegreen.model.check import CheckKind
from bluegreen.model.condition import parse_condition
from bluegreen.model.event import What
from bluegreen.model.gates import Gates
from bluegreen.model.revision_figures import RevisionFigures, ServiceFigures
from bluegreen.model.strategy import Step, Strategy
from bluegreen.model.verdict import Verdict
from bluegreen.rollout.controller import Controller
from bluegreen.rollout.operations import DeployCommand
from deployment_store import SqliteStore
from tests.rollout.test_crash_points import ANNA, EVERYTHING, HOOKS, SHOP, Operator, _status, _until

GOOD, BAD = RevisionFigures(0.2, answers=1000), RevisionFigures(0.2, answers=1000, failures=50)
FIGURES = ServiceFigures({1: GOOD, 2: BAD}, gateway_answers=2000)
ANALYSIS = Analysis(conditions=(parse_condition("success_rate >= 99"),), window=0.2, interval=0.02)


class BadInAStep(Operator):
    """v1 is released, and v2 turns out to be bad at 10 %."""

    service = replace(
        SHOP, gates=Gates(analysis=ANALYSIS, hooks=HOOKS), strategy=Strategy((Step(10, 60.0), Step(100)))
    )

    async def _story(self, controller: Controller) -> None:
        self.fleet.reported_figures = FIGURES
        await _until(controller, lambda: True)
        if controller.aggregate("shop").last_deployment_revision == 0:
            await controller.deploy(DeployCommand("shop", "v1"), ANNA)
        await self._promoted(controller, 1)
        if controller.aggregate("shop").last_deployment_revision == 1:
            await controller.deploy(DeployCommand("shop", "v2"), ANNA)
        if _status(controller, 2) in ("deploying", "ready"):
            await self._promoted(controller, 2)
        await _until(controller, lambda: _status(controller, 2) in (None, "failed"))
        await _until(controller, lambda: not any(c.is_open for c in controller.aggregate("shop").checks))


class BadWithAllTraffic(BadInAStep):
    """v1 is released, and v2 turns out to be bad once it has it all."""

    service = replace(SHOP, gates=Gates(analysis=ANALYSIS, hooks=HOOKS), strategy=Strategy())

    async def _story(self, controller: Controller) -> None:
        self.fleet.reported_figures = ServiceFigures()
        await _until(controller, lambda: True)
        if controller.aggregate("shop").last_deployment_revision == 0:
            await controller.deploy(DeployCommand("shop", "v1"), ANNA)
        await self._promoted(controller, 1)
        if controller.aggregate("shop").last_deployment_revision == 1:
            await controller.deploy(DeployCommand("shop", "v2"), ANNA)
        await self._promoted(controller, 2)
        self.fleet.reported_figures = FIGURES
        await _until(controller, lambda: _status(controller, 1) == "active")
        await _until(controller, lambda: not any(c.is_open for c in controller.aggregate("shop").checks))


@pytest.mark.parametrize(
    ("story", "back"),
    [(BadInAStep, [What.TURNED_BACK, What.FAILED]), (BadWithAllTraffic, [What.REACTIVATED])],
)
@pytest.mark.parametrize("fifth", range(5))
async def test_crashed_at_every_boundary_it_goes_back_once(
    tmp_path: Path, story: type[Operator], back: list[What], fifth: int
) -> None:
    whole = story(tmp_path / "whole.db", crash_at=EVERYTHING)
    await whole.play()
    for crash_at in range(1 + fifth, len(whole.boundaries.passed) + 1, 5):
        path = tmp_path / f"{crash_at}.db"
        operator = story(path, crash_at)
        await operator.play()
        where = operator.boundaries.passed[-1]
        async with SqliteStore.open(path) as store:
            ends = (What.TURNED_BACK, What.FAILED, What.REACTIVATED)
            events = await store.events("shop", limit=1000)
            assert [each.what for each in events if each.what in ends] == back, where
            checks = await store.checks("shop")
            found = [each for each in checks if each.kind is CheckKind.ANALYSIS]
            assert [each.verdict for each in found] == [Verdict.FAIL], where
            told = [each.subject for each in checks if each.subject.startswith("after-rollback")]
            assert told == ["after-rollback"], where
            (rollout, *_) = await store.rollouts("shop")
            assert rollout.seconds_from_first_bad is not None, where
