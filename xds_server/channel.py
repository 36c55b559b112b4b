"""What is known of one client about one type: asked for, sent, acknowledged, doubtful."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from .resource import Resource
from .response import nonce_of
from .subscription import NOTHING, Subscription
from .view import NO_NAMES, Change, View

NO_DOUBTS: Final[Mapping[str, tuple[Resource | None, ...]]] = MappingProxyType({})
_OLDER_KEPT: Final = 8


@dataclass(frozen=True, slots=True)
class Nack:
    """A response that the client refused, at least in part: its text, the generation it was built from, and
    when (on the clock of the session).
    """

    text: str
    generation: int
    at: float


class Channel:
    """One type on one stream.

    ``sent`` is all that the client was last sent, whatever became of it: news is found by comparing with it
    and never with what was acknowledged (row NACK). ``doubts`` are the names of it that were sent and not
    acknowledged, each with the older resources that may be live instead. Generations are proven by a view
    that is acknowledged whole: it stands for every generation in which its table was current. ``blockers``
    name what a resource of this type waits for, as first seen; ``news`` are the names that the latest
    response changed.
    """

    __slots__ = (
        "acked_at",
        "acked_version",
        "beat_at",
        "blames",
        "blockers",
        "claims",
        "doubts",
        "expected",
        "forced",
        "in_flight",
        "listed",
        "nack",
        "named",
        "news",
        "news_generation",
        "number",
        "outstanding",
        "owed",
        "proven_generation",
        "sent",
        "sent_at",
        "sent_generation",
        "subscription",
        "type_url",
        "vouched",
    )

    def __init__(self, type_url: str, nothing: View) -> None:
        self.type_url = type_url
        self.subscription: Subscription = NOTHING
        self.named = False
        self.claims = False  # whether the client came with a state
        self.listed: tuple[str, ...] = ()
        self.sent: View = nothing
        self.doubts: Mapping[str, tuple[Resource | None, ...]] = NO_DOUBTS
        self.vouched: dict[str, Resource] = {}
        self.forced = NO_NAMES
        self.expected = NO_NAMES  # what the client will ask for as soon as it can
        self.in_flight: dict[str, frozenset[str]] = {}
        self.owed = True
        self.number = 0
        self.outstanding = False
        self.sent_at = 0.0
        self.acked_at: float | None = None
        self.acked_version: str | None = None
        self.sent_generation: int | None = None
        self.proven_generation: int | None = None
        self.nack: Nack | None = None
        self.blames: bool | None = None  # whether its text names a resource; None: not looked at yet
        self.beat_at: float | None = None
        self.news = NO_NAMES
        self.news_generation = 0
        self.blockers: dict[str, frozenset[str]] = {}

    @property
    def nonce(self) -> str:
        """Of the latest response; "" before the first."""
        return nonce_of(self.number)

    @property
    def at_rest(self) -> bool:
        """Unless something else is published, there is nothing to say."""
        same = self.sent.subscription is self.subscription
        return same and not (self.owed or self.forced or self.sent.kept)

    @property
    def settled(self) -> bool:
        """Nothing is under way or doubtful, and nothing is held back: what was sent stands for its
        generation.
        """
        return self.at_rest and not self.outstanding and not self.doubts

    @property
    def acked_generation(self) -> int | None:
        """The newest generation that the client is proven to have; None before the first proof."""
        return self.sent.table.through if self.settled else self.proven_generation

    def proves(self, name: str) -> bool:
        """Whether the client has acknowledged this name as it was last sent, or another witness has seen it
        there.
        """
        return name not in self.doubts or (
            name in self.vouched and self.vouched[name] is self.sent.get(name) is not None
        )

    def spares(self, name: str) -> bool:
        """Whether the latest refusal blames other resources by name, and not this one.

        A NACK is partial: the rest of its response is in force, though nothing says so but the text. It is no
        proof; but a proxy that starts with one bad cluster would otherwise never get a route.
        """
        refused = self.nack is not None and not self.outstanding and name in self.doubts
        if self.nack is None or not refused or name in self.nack.text:
            return False
        if self.blames is None:
            self.blames = any(_is_named(other, self.nack.text) for other in self.doubts)
        return self.blames

    def holds(self, name: str, version: str | None) -> bool:
        """Whether the client is proven to have this very resource; None: not to have any of the name."""
        sent = self.sent.get(name)
        if version is None:
            return sent is None and name not in self.doubts and not self.owed
        return sent is not None and sent.version == version and self.proves(name)

    def record_sent(
        self,
        target: View,
        names: frozenset[str],
        had: Mapping[str, tuple[Resource | None, ...]],
        now: float,
    ) -> None:
        """``names`` are what this response says something about, ``had`` what the client had of them."""
        self.proven_generation = self.acked_generation
        self.doubts = _add_doubts(self.doubts, had) if self.doubts else had
        self.outstanding = True
        self.owed = False
        self.sent_at = now
        self.news = names
        self.news_generation = target.table.clock.generation
        self._enter(target)

    def record_ack(self, now: float) -> None:
        self.outstanding = False
        self.doubts = NO_DOUBTS
        if self.vouched:
            self.vouched = {}
        self.nack = None
        self.acked_at = now
        self.acked_version = self.sent.version

    def record_part_ack(self, names: frozenset[str], now: float) -> None:
        """One of several responses under way was acknowledged (delta): these names are as they were sent."""
        if names.issuperset(self.doubts):
            self.doubts = NO_DOUBTS
        elif names:
            self.doubts = {name: older for name, older in self.doubts.items() if name not in names}
        self.outstanding = bool(self.in_flight)
        self.acked_at = now
        if self.vouched:
            self.vouched = {name: seen for name, seen in self.vouched.items() if name in self.doubts}
        if not self.doubts:
            self.nack = None
            self.acked_version = self.sent.version

    def record_nack(self, text: str, now: float) -> None:
        """What was sent stays doubtful; it is sent again only with something new."""
        self.outstanding = bool(self.in_flight)
        self.nack = Nack(text, self.sent.table.through, now)
        self.blames = None

    def move(self, target: View, change: Change) -> None:
        """The client has all of ``target`` that can be said, without a message."""
        self.proven_generation = self.acked_generation
        self.owed = False
        if self.doubts and change.gone:
            self.doubts = {name: older for name, older in self.doubts.items() if name not in change.gone}
        self._enter(target)

    def _enter(self, target: View) -> None:
        self.sent = target
        if self.blockers:
            self.blockers = {name: why for name, why in self.blockers.items() if name in target.kept}
        if not target.kept:
            self.sent_generation = target.table.through

    def narrow(self, subscription: Subscription, sent: View) -> None:
        """The client asks for something else now; ``sent`` is what of the former it still holds."""
        self.proven_generation = self.acked_generation
        self.subscription = subscription
        self.sent = sent
        if self.doubts:
            self.doubts = {name: old for name, old in self.doubts.items() if subscription.covers(name)}


def _is_named(name: str, text: str) -> bool:
    """Whether a text speaks of this name, and not of something that has it as a part."""
    return name in text and re.search(rf"(?<![\w/-]){re.escape(name)}(?![\w/-])", text) is not None


def _add_doubts(
    doubts: Mapping[str, tuple[Resource | None, ...]], had: Mapping[str, tuple[Resource | None, ...]]
) -> dict[str, tuple[Resource | None, ...]]:
    merged = dict(doubts)
    for name, latest in had.items():
        older = merged.get(name, ())
        if latest[0] not in older:
            # The acknowledged one stays first; of those that were never acknowledged the latest are kept.
            merged[name] = (*older[:1], *older[1:][-(_OLDER_KEPT - 2) :], *latest)
    return merged
