"""Drives one service: asks for the next decision, records it, tells the switch, and waits for new facts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.command import TakenCommand
from bluegreen.model.errors import Conflict, InvalidInput, NotServing
from bluegreen.model.event import CONTROLLER, Origin
from bluegreen.model.gateway import Gateway
from bluegreen.model.migration import MigrationProgress
from bluegreen.model.store import Store
from bluegreen.model.traffic_switch import TrafficSwitch
from bluegreen.model.verdict import Finding
from bluegreen.rollout.analysis.observation import Observation
from bluegreen.rollout.check_runner import CheckRunner
from bluegreen.rollout.clock import Clock
from bluegreen.rollout.decision import decide
from bluegreen.rollout.draft import Change, Decide, Draft
from bluegreen.rollout.look import Wait
from bluegreen.rollout.migration_keeper import MigrationKeeper
from bluegreen.rollout.operations import CommandResult
from bluegreen.rollout.outside import Outside
from bluegreen.rollout.pool_keeper import PoolKeeper
from bluegreen.rollout.reconnect_grace import ReconnectGrace
from bluegreen.rollout.wanted_traffic import wanted_traffic
from bluegreen.rollout.watcher import Watcher

RETRY_AFTER = 1.0
"""Seconds until a decision that could not be recorded is tried again."""

REST = 4.0
"""How much longer than a look the rest after it is: looking takes no more than a fifth of the time."""

LONGEST_REST = 1.0
"""Seconds."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every worker shares."""

    store: Store
    switch: TrafficSwitch
    clock: Clock
    outside: Outside
    gateways: Callable[[], Mapping[str, Gateway]]
    changed: Callable[[str], None]
    progressed: Callable[[str], None]  # nothing was decided, but there is more to tell
    alert: set[str]  # the services for whom a change of facts may matter


class ServiceWorker:
    """The only one who changes its service. Commands and decisions take turns, each on the state that the
    one before left; what is decided is durable before the switch hears of it."""

    def __init__(self, aggregate: ServiceAggregate, around: Surroundings) -> None:
        self.aggregate = aggregate
        self.activity = ""
        self.observation: Observation | None = None
        self._around = around
        self._grace = ReconnectGrace(around.clock.now())
        self._watcher = Watcher(around.switch, around.clock)
        self._checks = CheckRunner(around.outside.checker, around.gateways, self._take_in)
        self._pools = PoolKeeper(around.outside.provisioner, self._take_in)
        self._migrations = MigrationKeeper(
            around.outside.migrator, self._take_in, lambda: around.progressed(self.aggregate.name)
        )
        self._rest_until = 0.0
        self._turn = asyncio.Lock()
        self._woken = asyncio.Event()
        self._asked = asyncio.Event()

    @property
    def migration(self) -> MigrationProgress | None:
        """How far the open run of migrations is; None: none runs, or nothing is known yet."""
        return self._migrations.progress(self.aggregate)

    def wake(self) -> None:
        """Have the worker look again."""
        self._woken.set()

    def _look_at_once(self) -> None:
        self._asked.set()
        self.wake()

    def instances_changed(self, revision: int) -> None:
        """Whoever provides the instances of a deployment has news of them."""
        self._pools.changed(revision)

    async def command(self, decide_on: Decide, origin: Origin) -> CommandResult:
        """Record what an operator asks for; return what was decided. Raises what `decide_on` raises.

        A command whose key was taken up before is answered as it was then, and changes nothing.
        """
        async with self._turn:
            try:
                result = await self._command(decide_on, origin)
            except Conflict:
                # An `apply` came between: ask once more, on what it left.
                result = await self._command(decide_on, origin)
        self._look_at_once()
        return result

    async def _command(self, decide_on: Decide, origin: Origin) -> CommandResult:
        taken = await self._around.store.taken_command(origin.key) if origin.key else None
        if taken is not None:
            if taken.service != self.aggregate.name:
                raise InvalidInput(f"The key {origin.key!r} was used for a command to {taken.service}.")
            return CommandResult(taken.message, taken.deployment, taken.rollout, taken.migration)
        observe = partial(self._around.switch.observe, self.aggregate.name)
        draft = Draft(self.aggregate, self._around.clock.now(), origin, observe, self.migration)
        sentence = decide_on(draft)
        change = draft.change(sentence)
        result = _result(sentence, self.aggregate, change.aggregate)
        if change.events:
            await self._record(change, _taken(result, draft, origin))
            log.info("%s: asked by %s: %s", self.aggregate.name, origin.actor, sentence)
        return result

    async def replace(self, aggregate: ServiceAggregate) -> None:
        """Take over an aggregate whose service description was changed elsewhere, unless this worker has
        moved on from it already."""
        async with self._turn:
            if aggregate.revision > self.aggregate.revision:
                self.aggregate = aggregate
        self._look_at_once()

    async def run(self) -> None:
        """Decide and act until cancelled."""
        async with asyncio.TaskGroup() as outside:
            while True:
                # From before the look on: a fact that changes during it is looked at again.
                self._around.alert.add(self.aggregate.name)
                wait = await self._advance()
                if not wait.urgent:
                    self._around.alert.discard(self.aggregate.name)
                self._ask(outside)
                await self._sleep(wait)
                await self._rest()

    def _ask(self, outside: asyncio.TaskGroup) -> None:
        """Have everything asked that is to be asked of the world outside."""
        self._checks.follow(self.aggregate, outside)
        self._pools.follow(self.aggregate, outside)
        self._migrations.follow(self.aggregate, outside)
        stretch = self._watcher.stretch

        def take(source: str, finding: Finding) -> None:
            self._watcher.take(stretch, source, finding)
            self.wake()

        self._checks.measure(self.aggregate, self._watcher.due_sources(), take, outside)

    async def _take_in(self, decide_on: Decide) -> None:
        """Record what came back from outside; the store may be out of reach for a while."""
        while True:
            try:
                await self.command(decide_on, CONTROLLER)
            except (Conflict, NotServing) as error:
                log.warning("%s: cannot record a verdict: %s", self.aggregate.name, error)
                await asyncio.sleep(RETRY_AFTER)
            else:
                return

    async def _advance(self) -> Wait:
        while True:
            async with self._turn:
                self._woken.clear()
                self._asked.clear()
                step = self._look()
                if isinstance(step, Wait):
                    self._tell(step.sentence)
                    return step
                try:
                    is_published = await self._record(step)
                except Conflict:
                    continue  # decide anew, on what the other writer left
                except NotServing as error:
                    # Nothing was changed, and nothing is pushed that is not on record.
                    log.warning("%s: cannot record a decision: %s", self.aggregate.name, error)
                    self._tell(f"Cannot record what was decided ({step.sentence}): {error}")
                    self._rest_until = self._around.clock.now() + RETRY_AFTER
                    return Wait(self.activity, self._rest_until, urgent=True)
                log.info("%s: %s", self.aggregate.name, step.sentence)
            # What was published goes out, and is answered, before thousands of proxies are looked at again.
            await asyncio.sleep(0)
            if is_published:
                await self._rest()

    def _look(self) -> Change | Wait:
        now = self._around.clock.now()
        report = self._around.switch.observe(self.aggregate.name)
        not_before = self._grace.no_deadline_before(report, now)
        self.observation = self._watcher.look(self.aggregate)
        step = decide(
            self.aggregate, report, now, no_deadline_before=not_before, observation=self.observation
        )
        self._grace.next_look(step.until if isinstance(step, Wait) else None)
        ended = self._around.clock.now()
        self._rest_until = ended + min(REST * (ended - now), LONGEST_REST)
        return step

    async def _record(self, change: Change, command: TakenCommand | None = None) -> bool:
        """Make a change durable, then have the switch follow; whether there was anything to publish."""
        before = self.aggregate
        try:
            self.aggregate = await self._around.store.compare_and_set(
                change.aggregate, before.revision, change.events, command
            )
        except Conflict:
            # Another writer was faster: go on from what it wrote, and let the caller decide anew.
            self.aggregate = await self._around.store.load(before.name)
            self.wake()
            raise
        is_published = self._act(before)
        self._tell(change.sentence)
        self._around.changed(before.name)
        return is_published

    def _act(self, before: ServiceAggregate) -> bool:
        old, new = wanted_traffic(before), wanted_traffic(self.aggregate)
        if new == old:
            return False
        kept = {backend.revision for backend in new.backends if backend.routed}
        if any(backend.routed and backend.revision not in kept for backend in old.backends):
            self._around.switch.retire(new)
        elif {b.revision: b.weight for b in new.backends} != {b.revision: b.weight for b in old.backends}:
            self._around.switch.set_weights(new)
        else:
            self._around.switch.prepare(new)
        return True

    def _tell(self, sentence: str) -> None:
        if sentence != self.activity:
            self.activity = sentence
            self._around.changed(self.aggregate.name)

    async def _sleep(self, wait: Wait) -> None:
        moments = [each for each in (wait.until, self._watcher.next_look_at) if each is not None]
        timeout = max(0.0, min(moments) - self._around.clock.now()) if moments else None
        await _wait(self._woken, timeout)

    async def _rest(self) -> None:
        """Let facts come together. Each of thousands of proxies wakes this worker, and a look at all of them
        after each would leave no time to hear the next; with a few proxies the rest is not felt. What an
        operator asks for ends it."""
        left = self._rest_until - self._around.clock.now()
        if left > 0:
            await _wait(self._asked, left)


async def _wait(event: asyncio.Event, seconds: float | None) -> None:
    """Until the event, or until the time is over; None: for as long as it takes."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return  # the moment that was waited for has come


def _result(sentence: str, before: ServiceAggregate, after: ServiceAggregate) -> CommandResult:
    deployed = after.last_deployment_revision != before.last_deployment_revision
    rollout = after.rollout if after.rollout is not None and after.rollout != before.rollout else None
    return CommandResult(
        sentence,
        deployment=after.last_deployment_revision if deployed else rollout.candidate if rollout else None,
        rollout=rollout.id if rollout else None,
        migration=after.last_migration_run_id if after.migration_runs != before.migration_runs else None,
    )


def _taken(result: CommandResult, draft: Draft, origin: Origin) -> TakenCommand | None:
    if not origin.key:
        return None
    return TakenCommand(
        origin.key,
        draft.aggregate.name,
        draft.now,
        result.message,
        result.deployment,
        result.rollout,
        result.migration,
    )
