"""Whatever is asked for, in whichever order, and whatever the proxies say: no version is deployed before its
schema, none is promoted before its rows are filled in, and nothing is taken away that anybody may need."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial

from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bluegreen.model.deployment import Status
from bluegreen.model.errors import InvalidInput, Refused
from bluegreen.model.event import What
from bluegreen.model.migration import Phase
from bluegreen.model.traffic_report import TrafficReport
from bluegreen.model.verdict import Verdict
from bluegreen.rollout import commands, migration_commands, proof
from bluegreen.rollout.decision import decide
from bluegreen.rollout.deploy_command import deploy
from bluegreen.rollout.draft import Decide
from bluegreen.rollout.look import Wait
from bluegreen.rollout.migrations import pending_after
from bluegreen.rollout.operations import DeployCommand, MigrateCommand
from bluegreen.rollout.retire_command import retire
from bluegreen.rollout.wanted_traffic import wanted_traffic
from deployment_store.accounting import check_accounts
from tests.rollout.facts import MANUAL_STEPS
from tests.rollout.migrating import TESTED, Release

VERSIONS = st.sampled_from(["v1", "v2", "v3"])
VERDICTS = st.sampled_from([Verdict.PASS, Verdict.PASS, Verdict.FAIL])


class Operators(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.story = Release(TESTED, MANUAL_STEPS)
        self.lagging = 0

    def ask(self, decide_on: Decide) -> None:
        self.story.report = self.facts()
        with suppress(Refused, InvalidInput):
            self.story.command(decide_on)

    def facts(self) -> TrafficReport:
        """The first proxies lag, and have acknowledged nothing."""
        agreed = self.story.all_agree().proxies
        late = (replace(each, routes_acknowledged_at=None) for each in agreed[: self.lagging])
        return TrafficReport((*late, *agreed[self.lagging :]))

    @initialize(versions=st.sampled_from([(), ("v1",), ("v1", "v2")]))
    def begin(self, versions: tuple[str, ...]) -> None:
        for version in versions:
            self.release(version)

    @rule(version=VERSIONS, replace_standby=st.booleans())
    def deploy(self, version: str, replace_standby: bool) -> None:
        command = DeployCommand("shop", version, replace_standby=replace_standby)
        self.ask(lambda draft: deploy(draft, command))

    @rule(phase=st.sampled_from(Phase), version=st.sampled_from(["", "v2", "v3"]), retire=st.booleans())
    def migrate(self, phase: Phase, version: str, retire: bool) -> None:
        command = MigrateCommand("shop", phase, version, retire_standby=retire)
        self.ask(partial(migration_commands.migrate, command=command))

    @rule(retire=st.booleans())
    def contract(self, retire: bool) -> None:
        self.migrate(Phase.CONTRACT, "", retire)

    @rule(full=st.booleans())
    def promote(self, full: bool) -> None:
        before = self.story.aggregate.last_rollout_id
        self.ask(partial(commands.promote, full=full))
        if self.story.aggregate.last_rollout_id != before:
            rollout = self.story.aggregate.open_rollout
            assert rollout is not None
            candidate = self.story.aggregate.deployment(rollout.candidate)
            assert not pending_after(self.story.aggregate, candidate.version).backfills

    @rule(what=st.sampled_from([commands.rollback, commands.abort, migration_commands.stop]))
    def give_up(self, what: Decide) -> None:
        self.ask(what)

    @precondition(lambda self: self.story.now > 20_000.0)
    @rule()
    def retire(self) -> None:
        self.ask(partial(retire, confirmed=True))

    @rule(verdict=VERDICTS)
    def run_ends(self, verdict: Verdict) -> None:
        run = self.story.aggregate.open_run
        if run is not None and run.begun_at is not None:
            self.story.ran(verdict)

    @rule(verdict=VERDICTS)
    def tests_end(self, verdict: Verdict) -> None:
        if any(each.is_open for each in self.story.aggregate.checks):
            self.story.answer(verdict)

    @rule(version=VERSIONS)
    def release(self, version: str) -> None:
        self.deploy(version, replace_standby=True)
        self.all_goes_well(2)
        self.migrate(Phase.BACKFILL, "", retire=False)
        self.all_goes_well(1)
        self.promote(full=True)
        self.all_goes_well(1)

    @rule(times=st.integers(1, 4))
    def all_goes_well(self, times: int) -> None:
        """Everybody answers, and all that was asked for comes to its end."""
        self.lagging = 0
        for _ in range(times):
            self.look()
            self.run_ends(Verdict.PASS)
            self.tests_end(Verdict.PASS)
            self.story.now += 100.0

    @rule(seconds=st.sampled_from([1.0, 100.0, 4000.0]), lagging=st.integers(0, 2))
    def time_passes(self, seconds: float, lagging: int) -> None:
        self.story.now += seconds
        self.lagging = lagging

    @rule()
    def look(self) -> None:
        """Everything that the facts allow is decided; a decision never raises."""
        facts = self.facts()
        for _ in range(20):
            before = self.story.aggregate
            step = decide(before, facts, self.story.now)
            if isinstance(step, Wait):
                return
            check_accounts(before, step.aggregate, step.events)
            self.story.aggregate = step.aggregate
            if any(each.what is What.MIGRATION_BEGUN for each in step.events):
                self._begins_in_time(facts)

    def _begins_in_time(self, facts: TrafficReport) -> None:
        run, aggregate = self.story.run, self.story.aggregate
        if run.phase is not Phase.CONTRACT:
            return
        self.nobody_else_is_there_while_a_contract_runs()
        event("a contract begins")
        assert aggregate.active is not None
        assert aggregate.active.revision == run.deployment
        assert proof.routes_acknowledged(facts).passed

    @invariant()
    def nobody_else_is_there_while_a_contract_runs(self) -> None:
        run = self.story.aggregate.open_run
        if run is not None and run.phase is Phase.CONTRACT and run.begun_at is not None:
            held = [each for each in self.story.aggregate.deployments if each.is_held]
            assert [each.status for each in held] == [Status.ACTIVE]

    @invariant()
    def nothing_is_deployed_before_its_schema(self) -> None:
        told = {each.revision for each in wanted_traffic(self.story.aggregate).backends}
        for each in self.story.aggregate.deployments:
            ours = [run for run in self.story.aggregate.migration_runs if run.deployment == each.revision]
            if each.revision in told:
                assert any(run.phase is Phase.EXPAND and run.has_passed for run in ours)

    @invariant()
    def one_run_is_open_and_belongs_to_what_is_there(self) -> None:
        (*_, last) = self.story.aggregate.migration_runs or (None,)
        open_runs = [each for each in self.story.aggregate.migration_runs if each.is_open]
        assert open_runs in ([], [last])
        for run in open_runs:
            assert run.deployment is None or self.story.aggregate.deployment(run.deployment).status.is_open


TestOperators = Operators.TestCase
TestOperators.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
