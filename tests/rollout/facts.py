"""Facts and aggregates for tests of decisions, in as few words as they need."""

from __future__ import annotations

from dataclasses import replace

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.environment import Environment
from bluegreen.model.event import CONTROLLER
from bluegreen.model.gates import Gates
from bluegreen.model.service import Service
from bluegreen.model.strategy import Step, Strategy
from bluegreen.model.traffic_report import BackendReport, LoadReading, ProxyReport, TrafficReport
from bluegreen.model.traffic_rule import TrafficRule
from bluegreen.rollout import commands
from bluegreen.rollout.analysis.observation import Observation
from bluegreen.rollout.decision import decide
from bluegreen.rollout.deploy_command import deploy
from bluegreen.rollout.draft import Decide, Draft
from bluegreen.rollout.look import Wait
from bluegreen.rollout.operations import DeployCommand

BLUE_ENDPOINTS = (Endpoint("127.0.0.1", 9001), Endpoint("127.0.0.1", 9002))
GREEN_ENDPOINTS = (Endpoint("127.0.0.1", 9101), Endpoint("127.0.0.1", 9102))
ATOMIC = Strategy()
MANUAL_STEPS = Strategy((Step(10), Step(50), Step(100)))
TIMED_STEPS = Strategy((Step(10, pause=5.0), Step(100)))


def shop(strategy: Strategy = ATOMIC) -> Service:
    return Service(
        "shop",
        gateways=("edge",),
        domains=("shop.example.com",),
        strategy=strategy,
        endpoints={Environment.BLUE: BLUE_ENDPOINTS, Environment.GREEN: GREEN_ENDPOINTS},
    )


def empty(strategy: Strategy = ATOMIC) -> ServiceAggregate:
    return ServiceAggregate(shop(strategy), TrafficRule("shop"))


def backend(revision: int, at: float, *, healthy: int = 2, active: int = 0) -> BackendReport:
    readings = tuple(LoadReading(at - 2 + each, active, 0) for each in range(3))
    return BackendReport(
        revision, acknowledged=True, acknowledged_at=at, healthy=healthy, warming=False, readings=readings
    )


def proxy(name: str, at: float, *revisions: int, active: int = 0) -> ProxyReport:
    """A proxy that has acknowledged everything at `at`, with all instances healthy."""
    return ProxyReport(
        name,
        "edge",
        connected=True,
        routes_acknowledged_at=at,
        clusters_acknowledged_at=at,
        endpoints_acknowledged_at=at,
        backends={revision: backend(revision, at, active=active) for revision in revisions},
    )


def report(*proxies: ProxyReport) -> TrafficReport:
    return TrafficReport(proxies)


class Story:
    """An aggregate that goes through commands and decisions, at a time that the test moves."""

    def __init__(self, strategy: Strategy = ATOMIC, gates: Gates | None = None) -> None:
        aggregate = empty(strategy)
        service = replace(aggregate.service, gates=gates or Gates())
        self.aggregate = replace(aggregate, service=service)
        self.observation: Observation | None = None
        self.now = 1000.0
        self.report = TrafficReport()
        self.sentences: list[str] = []

    def command(self, decide_on: Decide) -> str:
        draft = Draft(self.aggregate, self.now, CONTROLLER, self.report)
        sentence = decide_on(draft)
        self.aggregate = draft.change(sentence).aggregate
        return sentence

    def deploy(self, version: str, *, replace_standby: bool = False) -> str:
        command = DeployCommand("shop", version, replace_standby=replace_standby)
        return self.command(lambda draft: deploy(draft, command))

    def promote(self, *, full: bool = False) -> str:
        return self.command(lambda draft: commands.promote(draft, full=full))

    def decide(self, facts: TrafficReport) -> Wait:
        """Take every decision that the facts allow; return what is waited for then."""
        for _ in range(20):
            step = decide(self.aggregate, facts, self.now, observation=self.observation)
            if isinstance(step, Wait):
                return step
            self.sentences.append(step.sentence)
            self.aggregate = step.aggregate
        raise AssertionError(f"decides for ever: {self.sentences[-5:]}")

    def one(self, facts: TrafficReport) -> str:
        """Take exactly one decision; return its sentence."""
        step = decide(self.aggregate, facts, self.now, observation=self.observation)
        assert not isinstance(step, Wait), step.sentence
        self.aggregate = step.aggregate
        return step.sentence

    def all_agree(self, *, active: int = 0) -> TrafficReport:
        """Two proxies that have acknowledged and proved everything as of now."""
        revisions = [each.revision for each in self.aggregate.deployments]
        return report(*(proxy(name, self.now, *revisions, active=active) for name in ("edge-1", "edge-2")))

    def release(self, version: str) -> None:
        """Deploy, promote and complete, with every proxy agreeing at once."""
        self.deploy(version)
        self.decide(self.all_agree())
        self.promote(full=True)
        self.decide(self.all_agree())

    def status(self, revision: int) -> str:
        return self.aggregate.deployment(revision).status.value
