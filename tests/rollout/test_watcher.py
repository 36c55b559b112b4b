"""Who watches a version that takes traffic: what it hears, and of what."""

from __future__ import annotations

from dataclasses import replace

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.analysis import Analysis, CommandSource
from bluegreen.model.condition import parse_condition
from bluegreen.model.gates import Gates
from bluegreen.model.revision_figures import ServiceFigures
from bluegreen.model.verdict import Finding, Verdict
from bluegreen.rollout.analysis.watch import REACH
from bluegreen.rollout.clock import SystemClock
from bluegreen.rollout.watcher import Watcher
from tests.rollout.simulated_switch import SimulatedSwitch
from tests.rollout.test_gate_decisions import at_ten_percent

JUDGE = CommandSource("judge", ("judge",))
SLEEPY = CommandSource("sleepy", ("sleepy",))


def with_sources(aggregate: ServiceAggregate, *sources: CommandSource) -> ServiceAggregate:
    gates = Gates(analysis=Analysis(sources=sources))
    return replace(aggregate, service=replace(aggregate.service, gates=gates))


def test_a_step_reaches_back_to_the_reports_that_it_began_in_and_one_that_is_resumed_does_not() -> None:
    clock = SystemClock()
    switch = SimulatedSwitch(clock)
    since: list[float] = []

    def figures(service: str, moment: float) -> ServiceFigures:
        since.append(moment)
        return ServiceFigures()

    switch.figures = figures  # type: ignore[method-assign]
    watcher = Watcher(switch, clock)
    story = at_ten_percent(Gates(analysis=Analysis(conditions=(parse_condition("success_rate >= 99"),))))
    for _ in range(2):
        rollout = story.aggregate.open_rollout
        assert rollout is not None
        now = replace(rollout, watched_since=clock.now())
        watcher.look(replace(story.aggregate, rollout=now))
    step, early, resumed = since
    assert early == step - REACH
    assert resumed > step


def test_what_was_asked_before_an_apply_changed_the_analysis_is_not_heard() -> None:
    clock = SystemClock()
    watcher = Watcher(SimulatedSwitch(clock), clock)
    shop = with_sources(at_ten_percent(Gates()).aggregate, JUDGE, SLEEPY)
    watcher.look(shop)
    asked = watcher.stretch
    assert [source.name for source, _ in watcher.due_sources()] == ["judge", "sleepy"]
    changed = with_sources(shop, JUDGE)
    watcher.look(changed)
    assert [source.name for source, _ in watcher.due_sources()] == ["judge"]
    for name in ("sleepy", "judge"):
        watcher.take(asked, name, Finding(name, Verdict.FAIL, "as it was asked before"))
    seen = watcher.look(changed)
    assert seen is not None
    assert [(each.name, each.verdict) for each in seen.findings] == [("judge", Verdict.INCONCLUSIVE)]
    watcher.take(watcher.stretch, "judge", Finding("judge", Verdict.PASS, "as it is asked now"))
    seen = watcher.look(changed)
    assert seen is not None
    assert seen.verdict is Verdict.PASS
