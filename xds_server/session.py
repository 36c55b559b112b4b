"""One stream's side of the protocol, without I/O: requests and published state in, responses out.

What state-of-the-world and delta have in common. A session never waits and never sends: its owner feeds
requests to ``receive``, asks ``next_response`` until there is none, and comes again when something was
received or published, or at ``wake_at``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, Final

from .channel import Channel
from .errors import BadRequest
from .group import Group
from .node import NodeIdentity
from .resource import Resource
from .response import Response
from .settings import XdsSettings
from .stages import Stages
from .subscription import Subscription
from .types import CLUSTER, ENDPOINT, SENDING_ORDER, UNORDERED
from .view import NO_NAMES, Change, View

# What a client says in its node's features if it understands ``Resource.ttl``.
TTL_FEATURE: Final = "xds.config.supports-resource-ttl"


class Session(ABC):
    """The protocol state of one stream. Times are seconds on a monotonic clock.

    ``unsaid`` tells that ``next_response`` may have something to say that is not due to a publish;
    ``waiting`` that something is held back until the client answers.
    """

    def __init__(
        self, node: NodeIdentity, group: Group, settings: XdsSettings, only: str | None = None
    ) -> None:
        """``only`` is the type of a per-type service; None serves every type (ADS)."""
        self.node = node
        self.group = group
        self.settings = settings
        self.only = only
        self.channels: dict[str, Channel] = {}
        self.wake_at: float | None = None
        self.ignored = 0
        self.unsaid = False
        self.waiting = False
        self.warming = NO_NAMES
        self._moved = False
        self._expected_until: float | None = None
        self._seen = -1
        self._understands_ttl = TTL_FEATURE in node.features
        self._stages = Stages(group, self.channels)
        self._in_order: list[Channel] = []

    @staticmethod
    @abstractmethod
    def parse(data: bytes) -> Any:
        """One request of this protocol. Raises BadRequest."""

    @abstractmethod
    def receive(self, data: bytes, now: float) -> None:
        """Take one request in. Raises BadRequest, after which the stream must end."""

    @abstractmethod
    def take(self, request: Any, now: float) -> None:
        """As ``receive``, for a request that is parsed already."""

    def next_response(self, now: float) -> bytes | None:
        """The next message to send, as if it is sent now; None when there is none for the time being."""
        generation = self.group.generation
        if not self.unsaid and generation == self._seen and (self.wake_at is None or now < self.wake_at):
            return None
        self.wake_at = None
        self.waiting = False
        self._expect_until(now)
        beats = self._ttl_applies()
        for channel in self._in_order:
            response = (self._beat(channel, now) if beats else None) or self._offer(channel, now)
            if response is not None:
                self.unsaid = True
                return response
        if self._moved:
            # A removal that needs no message can set free what has had its turn in this round.
            self._moved = False
            return self.next_response(now)
        self.unsaid = False
        self._seen = generation
        return None

    # Times to live

    def _ttl_applies(self) -> bool:
        return self._understands_ttl and self.group.has_ttl

    def _beat(self, channel: Channel, now: float) -> bytes | None:
        """Row TTL: what has a time to live is renewed when half of it is over."""
        if channel.beat_at is None or now < channel.beat_at:
            self._wake(channel.beat_at)
            return None
        channel.beat_at = None
        names = frozenset(resource.name for resource in channel.sent if resource.ttl is not None)
        if not names:
            return None
        beat = self._heartbeat(channel, names, now)
        if beat is None:
            channel.forced |= names
        return beat

    @abstractmethod
    def _heartbeat(self, channel: Channel, names: frozenset[str], now: float) -> bytes | None:
        """A message that renews these; None if they must be sent as if they were new."""

    def _wake(self, at: float | None) -> None:
        if at is not None:
            self.wake_at = at if self.wake_at is None else min(at, self.wake_at)

    def vouch(self, resources: Iterable[Resource]) -> bool:
        """Another witness has seen these in use at this client; True when that may set something free."""
        news = False
        for resource in resources:
            channel = self.channels.get(resource.type_url)
            sent = channel.sent.get(resource.name) if channel else None
            if channel and sent and sent.version == resource.version and not channel.proves(resource.name):
                channel.vouched[resource.name] = sent
                news = self.unsaid = True
        return news

    # Offering

    def _offer(self, channel: Channel, now: float) -> bytes | None:
        if channel.at_rest and channel.sent.table.last is None:
            return None
        target = self._stages.target(channel)
        if target.kept:
            self.waiting = True
        if target is channel.sent and not channel.forced and not channel.owed:
            return None
        change = self.group.change_between(channel.type_url, channel.sent, target)
        if self._must_wait(channel, target):
            self.waiting = True
            return None
        if not self._has_news(channel, change, target):
            channel.move(target, change)
            self.unsaid = self._moved = self._moved or bool(change.gone)
            return None
        urgent = self._is_urgent(channel, target)
        if channel.outstanding and not urgent and not self._may_supersede(channel, change, now):
            return None
        return self._respond(channel, change, target, now)

    @abstractmethod
    def _must_wait(self, channel: Channel, target: View) -> bool:
        """Whether nothing can be said before something else is proven."""

    def _awaits_clusters(self) -> bool:
        """Whether an answer is under way on which what leads to clusters depends."""
        awaited = (self.channels.get(CLUSTER), self.channels.get(ENDPOINT))
        return any(other is not None and other.outstanding for other in awaited)

    @abstractmethod
    def _has_news(self, channel: Channel, change: Change, target: View) -> bool:
        """Whether the client is to be told anything."""

    def _is_urgent(self, channel: Channel, target: View) -> bool:
        """Whether it is to be told at once, an unacknowledged response or not."""
        return False

    @abstractmethod
    def _respond(self, channel: Channel, change: Change, target: View, now: float) -> bytes:
        """The message that tells it, recorded as sent."""

    def _may_supersede(self, channel: Channel, change: Change, now: float) -> bool:
        """A response may pass an unacknowledged one of its type when that takes long, or takes back a part of
        it.

        A warming cluster withholds the ACK of its response: the response that removes it must still get out.
        """
        if any(not any(channel.doubts[name]) for name in change.gone if name in channel.doubts):
            return True
        due = channel.sent_at + self.settings.supersede_after
        if now >= due:
            return True
        self._wake(due)
        self.waiting = True
        return False

    def _record(
        self, channel: Channel, target: View, names: frozenset[str], response: Response, now: float
    ) -> bytes:
        """Take note of a response that says something about ``names``; returns the message."""
        channel.number, message = response.after(channel.number)
        had = self.group.had(channel.sent, names)
        channel.record_sent(target, names, had, now)
        if self._ttl_applies():
            times = [resource.ttl for resource in target if resource.ttl is not None]
            due = now + min(times) / 2 if times else None
            # Others that it does not renew are not put off: they are due when they were.
            channel.beat_at = due if due is None or channel.beat_at is None else min(due, channel.beat_at)
        if channel.type_url == CLUSTER:
            self._follow_with_endpoints(target, names)
        return message

    def _follow_with_endpoints(self, target: View, names: frozenset[str]) -> None:
        """Row WARM: a cluster that is new or changed warms until its endpoints come, though they are
        unchanged.
        """
        services = _services(target, names)
        endpoints = self.channels.get(ENDPOINT)
        if endpoints is not None:
            self._send_again(endpoints, services)
        elif self.only == CLUSTER:
            self.warming |= services

    def warm(self, services: frozenset[str]) -> None:
        """Another stream of this client, for clusters alone, was sent clusters that need these endpoints."""
        endpoints = self.channels.get(ENDPOINT)
        if endpoints is not None and self.only == ENDPOINT:
            self._send_again(endpoints, services)
            self.unsaid = True

    @staticmethod
    def _send_again(endpoints: Channel, services: frozenset[str]) -> None:
        endpoints.forced |= {name for name in services if endpoints.sent.get(name) is not None}

    def _expect_endpoints(self, clusters: Channel, now: float) -> None:
        """A client that accepts clusters asks for their endpoints next: until it has, routes wait, but not
        for ever. To be called before the ACK is recorded.
        """
        endpoints = self.channels.get(ENDPOINT)
        if clusters.type_url != CLUSTER or endpoints is None or not clusters.doubts:
            return
        services = _services(clusters.sent, clusters.doubts)
        endpoints.expected = frozenset(name for name in services if not endpoints.subscription.covers(name))
        if endpoints.expected:
            self._expected_until = now + self.settings.endpoints_asked_within

    def _expect_until(self, now: float) -> None:
        until = self._expected_until
        if until is not None and now >= until:
            self.channels[ENDPOINT].expected = NO_NAMES
            self._expected_until = None
        else:
            self._wake(until)

    # Receiving

    def _check_type(self, type_url: str) -> str:
        """The type that a request is about; ``only`` when it may be left out."""
        if type_url in self.channels:
            return type_url
        if self.only is not None:
            if type_url not in ("", self.only):
                raise BadRequest(f"this service serves {self.only} only, not {type_url[:200]!r}")
            return self.only
        if not type_url:
            raise BadRequest("a request on an aggregated stream must name its type_url")
        if type_url not in self.settings.types and type_url not in self.group.types:
            raise BadRequest(f"type {type_url[:200]!r} is not served here")
        return type_url

    def _check_names(self, names: Iterable[str], total: int) -> None:
        if total > self.settings.max_names:
            raise BadRequest(f"{total} resource names; at most {self.settings.max_names} are accepted")
        limit = self.settings.max_name_bytes
        for name in names:
            if len(name) > limit:
                raise BadRequest(f"a resource name of {len(name)} characters; at most {limit} are accepted")

    def _still_held(self, channel: Channel, subscription: Subscription) -> View:
        """Only what was asked for before, and still is, may the client be taken to hold (row RESEND)."""
        sent = channel.sent
        held = sent.subscription.meet(subscription)
        if held is sent.subscription:
            return sent
        kept = {name: old for name, old in sent.kept.items() if held.covers(name)}
        if sent.table.last is None:
            return self.group.view(channel.type_url, held, kept)
        return View(held, sent.table, kept)

    def _open_channel(self, type_url: str) -> Channel:
        channel = Channel(type_url, self.group.nothing(type_url))
        self.channels[type_url] = channel
        self.unsaid = True
        self._in_order = sorted(
            self.channels.values(), key=lambda each: SENDING_ORDER.get(each.type_url, UNORDERED)
        )
        return channel


def _services(clusters: View, names: Iterable[str]) -> frozenset[str]:
    """The endpoints that these clusters name."""
    found = [cluster for name in names if (cluster := clusters.get(name)) is not None]
    return frozenset().union(*(cluster.links.endpoints for cluster in found))
