"""The world outside, as a script: what it says about each test, hook and source."""

from __future__ import annotations

import asyncio

from bluegreen.model.acceptance_test import AcceptanceTest
from bluegreen.model.analysis import Source
from bluegreen.model.checker import Target
from bluegreen.model.hook import Hook
from bluegreen.model.verdict import Finding, Verdict


class ScriptedChecker:
    """Passes everything that is not named in `verdicts`. `asked` lists each question with its target;
    `answers` is cleared to keep everybody waiting."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Target]] = []
        self.verdicts: dict[str, Verdict] = {}
        self.output = "what it printed"
        self.was_asked = asyncio.Event()
        self.was_given_up = asyncio.Event()
        self.answers = asyncio.Event()
        self.answers.set()

    async def test(self, test: AcceptanceTest, target: Target) -> Finding:
        return await self._ask(test.name, target)

    async def run_hook(self, hook: Hook, target: Target) -> Finding:
        return await self._ask(hook.name, target)

    async def measure(self, source: Source, target: Target) -> Finding:
        return await self._ask(source.name, target)

    def names(self) -> list[str]:
        return [name for name, _ in self.asked]

    async def _ask(self, name: str, target: Target) -> Finding:
        self.asked.append((name, target))
        self.was_asked.set()
        try:
            await self.answers.wait()
        except asyncio.CancelledError:
            self.was_given_up.set()
            raise
        verdict = self.verdicts.get(name, Verdict.PASS)
        return Finding(name, verdict, f"it said {verdict}", self.output)
