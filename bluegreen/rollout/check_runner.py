"""Asks what has to be asked about one service, and gives back what was said."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from bluegreen.model.acceptance_test import AcceptanceTest
from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.analysis import Source
from bluegreen.model.check import Check, CheckKind
from bluegreen.model.checker import Checker, Target
from bluegreen.model.gateway import Gateway
from bluegreen.model.hook import Hook, Moment, OnHookFailure
from bluegreen.model.verdict import Finding, Verdict, worst
from bluegreen.rollout.check_target import check_target, source_target
from bluegreen.rollout.draft import Decide
from bluegreen.rollout.gate_commands import conclude

KEPT_OF_A_PASS = 1_000
"""Characters of output that are kept of what has passed."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a check came to."""

    verdict: Verdict
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    """A check that runs, and the tests that it began with."""

    tests: Sequence[AcceptanceTest]
    task: asyncio.Task[None]


class SourceTaker(Protocol):
    """Who waits for what a source says."""

    def __call__(self, source: str, finding: Finding) -> None: ...


class CheckRunner:
    """Keeps as many tasks as there are open checks: it is told the aggregate after each change, starts what
    is missing and cancels what nobody waits for. What was under way when the process was killed is begun
    anew: its check is still open. So are tests that an `apply` changes meanwhile: those that are now count.

    `record` gives a verdict to the service's worker.
    """

    def __init__(
        self,
        checker: Checker,
        gateways: Callable[[], Mapping[str, Gateway]],
        record: Callable[[Decide], Awaitable[object]],
    ) -> None:
        self._checker, self._gateways, self._record = checker, gateways, record
        self._running: dict[int, _Run] = {}

    def follow(self, aggregate: ServiceAggregate, group: asyncio.TaskGroup) -> None:
        """Have exactly the open checks of this aggregate run."""
        wanted = {check.id: check for check in aggregate.checks if _is_asked_outside(check)}
        for number, run in list(self._running.items()):
            if number not in wanted or run.tests != _tests_of(aggregate, wanted[number]):
                self._running.pop(number).task.cancel()
        for number, check in wanted.items():
            if number not in self._running:
                task = group.create_task(self._run(aggregate, check))
                self._running[number] = _Run(_tests_of(aggregate, check), task)

    def measure(
        self,
        aggregate: ServiceAggregate,
        sources: Sequence[tuple[Source, int]],
        take: SourceTaker,
        group: asyncio.TaskGroup,
    ) -> None:
        """Ask sources about a revision each; `take` is called once for each, whatever comes of it."""
        for source, revision in sources:
            target = source_target(aggregate, self._gateways(), revision)
            group.create_task(self._measure(source, target, take))

    async def _measure(self, source: Source, target: Target, take: SourceTaker) -> None:
        take(source.name, await self._checker.measure(source, target))

    async def _run(self, aggregate: ServiceAggregate, check: Check) -> None:
        target = check_target(aggregate, self._gateways(), check)
        gates = aggregate.service.gates
        if check.kind is CheckKind.HOOKS:
            said = await self._run_hooks(gates.hooks_at(Moment(check.subject)), target)
        else:
            said = await self._run_tests(gates.tests, target)
        kept = tuple(_shortened(finding) for finding in said.findings)
        await self._record(partial(conclude, check=check.id, findings=kept, verdict=said.verdict))

    async def _run_tests(self, tests: Sequence[AcceptanceTest], target: Target) -> Said:
        """All of them, one after another: what fails beside the first is worth knowing too."""
        findings = [await self._checker.test(test, target) for test in tests]
        # A service whose tests were all taken away meanwhile has none to fail.
        verdict = worst([each.verdict for each in findings]) if findings else Verdict.PASS
        return Said(verdict, tuple(findings))

    async def _run_hooks(self, hooks: Sequence[Hook], target: Target) -> Said:
        """One after another; the first that fails, and is not to be ignored, ends it."""
        findings: list[Finding] = []
        for hook in hooks:
            finding = await self._checker.run_hook(hook, target)
            findings.append(finding)
            if finding.verdict is not Verdict.PASS and hook.on_failure is OnHookFailure.ABORT:
                return Said(finding.verdict, tuple(findings))
        return Said(Verdict.PASS, tuple(findings))


def _tests_of(aggregate: ServiceAggregate, check: Check) -> Sequence[AcceptanceTest]:
    return () if check.kind is CheckKind.HOOKS else aggregate.service.gates.tests


def _is_asked_outside(check: Check) -> bool:
    return check.is_open and check.kind in (CheckKind.TESTS, CheckKind.TESTS_OF_ACTIVE, CheckKind.HOOKS)


def _shortened(finding: Finding) -> Finding:
    if finding.verdict is not Verdict.PASS:
        return finding
    return replace(finding, output=finding.output[-KEPT_OF_A_PASS:])
