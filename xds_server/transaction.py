"""Publishing with a barrier over the fleet: no proxy gets a stage before every proxy has acknowledged the
last one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from .barrier import Enter, Outcome, Report, Stage, Stop, Target, Verdict, decide
from .channel import Channel
from .fleet import Fleet
from .group import Group
from .resource import Resource
from .session import Session
from .types import CLUSTER, ENDPOINT, LISTENER, ROUTE

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class TransactionResult:
    """How it ended, in which stage, and what each proxy said of that stage.

    ``way_back`` has a target for each group that makes everything there as it was before.
    """

    outcome: Outcome
    stage: Stage
    proxies: Mapping[str, Report]
    way_back: tuple[Target, ...]


class Publisher(Protocol):
    """What a transaction needs of the server."""

    @property
    def fleet(self) -> Fleet: ...

    def group(self, name: str) -> Group: ...

    def change(self, group: str, put: tuple[Resource, ...] = (), remove: tuple[Key, ...] = ()) -> int: ...


class Transaction:
    """One run of a target through the stages."""

    def __init__(
        self,
        publisher: Publisher,
        target: Target,
        expected: Collection[str] = (),
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._publisher = publisher
        self._target = target
        self._expected = frozenset(expected)
        self._wall = wall
        self._way_back = tuple(_way_back(publisher, target, name) for name in target.groups)
        self._generations: dict[str, int] = {}
        self._reports: dict[str, Report] = {}
        self._published: list[Resource] = []
        self._news: set[str] = set()

    async def run(self, timeout: float) -> TransactionResult:
        """Go through all stages in at most ``timeout`` seconds; stop where a proxy refuses or is silent for
        too long.

        Nothing is taken back: that is the caller's choice (``way_back``). Raises InconsistentSnapshot when a
        stage may not be published; then that stage has changed nothing.
        """
        changed = asyncio.Event()

        def note(node: str) -> None:
            self._news.add(node)
            changed.set()

        stop_watching = self._publisher.fleet.on_change(note)
        stage = Stage.PREPARE
        try:
            async with asyncio.timeout(timeout):
                self._publish(stage)
                while True:
                    changed.clear()
                    if self._is_superseded():
                        return self._result(Outcome.SUPERSEDED, stage)
                    self._look(stage)
                    match decide(self._target, stage, self._reports, self._expected):
                        case Stop(outcome):
                            return self._result(outcome, stage)
                        case Enter(Stage.DONE):
                            return self._result(Outcome.DONE, Stage.DONE)
                        case Enter(following):
                            stage = following
                            self._publish(stage)
                        case _:
                            await changed.wait()
        except TimeoutError:
            return self._result(Outcome.TIMED_OUT, stage)
        finally:
            stop_watching()

    def _result(self, outcome: Outcome, stage: Stage) -> TransactionResult:
        absent = Report(Verdict.DISCONNECTED, self._wall())
        reports = dict.fromkeys(sorted(self._expected), absent) | self._reports
        return TransactionResult(outcome, stage, reports, self._way_back)

    def _publish(self, stage: Stage) -> None:
        put, remove = self._target.puts(stage), self._target.removals(stage)
        if put or remove:
            # Who is gone is named to the end; the others speak of each stage anew.
            self._reports = {
                node: report
                for node, report in self._reports.items()
                if report.verdict is Verdict.DISCONNECTED
            }
            for name in self._target.groups:
                self._generations[name] = self._publisher.change(name, put, remove)
            self._published += put
            for name in self._target.groups:
                self._news.update(stream.session.node.id for stream in self._publisher.fleet.streams(name))

    def _is_superseded(self) -> bool:
        groups = [self._publisher.group(name) for name in self._target.groups]
        return any(
            (now := group.find(*resource.key)) is None or now.version != resource.version
            for group in groups
            for resource in self._published
        )

    def _look(self, stage: Stage) -> None:
        """Bring the reports up to date, of those proxies of which there is news."""
        now = self._wall()
        for node in self._news:
            sessions = [
                stream.session
                for stream in self._publisher.fleet.streams_of(node)
                if stream.session.group.name in self._target.groups
            ]
            before = self._reports.get(node)
            if sessions:
                verdict, text = self._verdict(stage, sessions)
                if before is None or before.verdict is not verdict:
                    self._reports[node] = Report(verdict, now, text)
            elif before is not None:
                self._reports[node] = Report(Verdict.DISCONNECTED, now)
        self._news.clear()

    def _verdict(self, stage: Stage, sessions: list[Session]) -> tuple[Verdict, str]:
        verdict, text = Verdict.ACKED, ""
        for session in sessions:
            for channel, name, version in self._required(stage, session):
                if channel is None or not channel.holds(name, version):
                    verdict = Verdict.SILENT
                    nack = channel.nack if channel and name in channel.doubts else None
                    if nack and nack.generation >= self._generations[session.group.name]:
                        return Verdict.NACKED, nack.text
        return verdict, text

    def _required(self, stage: Stage, session: Session) -> Iterator[tuple[Channel | None, str, str | None]]:
        """What this stream can and must acknowledge; a channel that is still to be opened is None."""
        for resource in self._target.puts(stage):
            channel = session.channels.get(resource.type_url)
            if channel is not None and channel.subscription.covers(resource.name):
                yield channel, resource.name, resource.version
            elif _will_ask(session, resource):
                yield None, resource.name, resource.version
        for type_url, name in self._target.removals(stage):
            channel = session.channels.get(type_url)
            if channel is not None:
                yield channel, name, None


def _will_ask(session: Session, resource: Resource) -> bool:
    """Whether something that the client has leads it to this one, though it has not asked for it yet."""
    match resource.type_url:
        case t if t == ENDPOINT:
            clusters = session.channels.get(CLUSTER)
            return clusters is not None and any(resource.name in c.links.endpoints for c in clusters.sent)
        case t if t == ROUTE:
            listeners = session.channels.get(LISTENER)
            return listeners is not None and any(resource.name in one.links.routes for one in listeners.sent)
        case _:
            return False


def _way_back(publisher: Publisher, target: Target, name: str) -> Target:
    """What the target touches, as it is in this group now."""
    group = publisher.group(name)
    there = [group.find(*key) for key in (*(resource.key for resource in target.put), *target.remove)]
    absent = [resource.key for resource in target.put if group.find(*resource.key) is None]
    return Target((name,), tuple(old for old in there if old is not None), tuple(absent))
