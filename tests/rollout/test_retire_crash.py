"""A service that is given up is given up once, crashed at whichever boundary between two effects."""

from __future__ import annotations

from pathlib import Path

from bluegreen.model.event import What
from bluegreen.rollout.controller import Controller
from bluegreen.rollout.operations import DeployCommand
from deployment_store import SqliteStore
from tests.rollout.test_crash_points import ANNA, EVERYTHING, Operator, _status, _until


class Retirement(Operator):
    """v1 is released, and the service is given up."""

    async def _story(self, controller: Controller) -> None:
        await _until(controller, lambda: True)
        if controller.aggregate("shop").last_deployment_revision == 0:
            await controller.deploy(DeployCommand("shop", "v1"), ANNA)
        if _status(controller, 1) not in (None, "retired"):
            await self._promoted(controller, 1)
            await controller.retire("shop", ANNA, confirmed=True)
        await _until(controller, lambda: _status(controller, 1) is None)


async def test_crashed_at_every_boundary_it_ends_once(tmp_path: Path) -> None:
    whole = Retirement(tmp_path / "whole.db", crash_at=EVERYTHING)
    await whole.play()
    assert "after retire" in whole.boundaries.passed
    for crash_at in range(1, len(whole.boundaries.passed) + 1):
        path = tmp_path / f"{crash_at}.db"
        operator = Retirement(path, crash_at)
        await operator.play()
        where = operator.boundaries.passed[-1]
        assert operator.lives == 2, where
        async with SqliteStore.open(path) as store:
            events = await store.events("shop", limit=1000)
            over = [
                each.what for each in events if each.what in (What.RETIRED, What.WITHDRAWN, What.RELEASED)
            ]
            assert over == [What.RETIRED, What.WITHDRAWN, What.RELEASED], where
            assert not (await store.load("shop")).traffic.active_environment, where
