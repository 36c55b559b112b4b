"""The incremental protocol: requests add and drop names, responses carry what changed and what is gone.

Source: ``xds_protocol``, section "Incremental xDS".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from .channel import Channel
from .resource import Resource
from .session import Session
from .subscription import subscribe_to
from .types import CLUSTER, ENDPOINT, LEGACY_WILDCARD, WILDCARD
from .view import NO_NAMES, Change, View
from .wire import DeltaRequest, Form, parse_delta_request

_MAX_IN_FLIGHT: Final = 64


class DeltaSession(Session):
    """Incremental xDS on one stream.

    Each response is answered by its own nonce, so that several may be under way: a subscription is answered
    at once, while published changes wait for the ACK as in state-of-the-world.
    """

    parse = staticmethod(parse_delta_request)

    def receive(self, data: bytes, now: float) -> None:
        self.take(parse_delta_request(data), now)

    def take(self, request: DeltaRequest, now: float) -> None:
        type_url = self._check_type(request.type_url)
        self._check_names(request.subscribe, len(request.subscribe))
        self._check_names(request.unsubscribe, len(request.unsubscribe))
        self._check_names(request.versions, len(request.versions))
        channel = self.channels.get(type_url)
        if channel is None:
            channel = self._open_channel(type_url)
            self._begin(channel, request)
            return
        # Row NONCE-DELTA: the nonce says what is answered, and nothing about the names.
        if request.nonce:
            self._answer(channel, request, now)
        if request.subscribe or request.unsubscribe:
            self.unsaid = True
            self._subscribe(channel, request)

    def _answer(self, channel: Channel, request: DeltaRequest, now: float) -> None:
        names = channel.in_flight.pop(request.nonce, None)
        if names is None:
            self.ignored += 1
        elif request.error is None:
            self._expect_endpoints(channel, now)
            channel.record_part_ack(names, now)
        else:
            channel.record_nack(request.error[: self.settings.nack_text_chars], now)
        self.unsaid = self.unsaid or self.waiting

    # Subscriptions

    def _begin(self, channel: Channel, request: DeltaRequest) -> None:
        """The first request of a type: what is asked for, and (D-RECON) what the client holds from before."""
        names = frozenset(request.subscribe).difference(request.unsubscribe)
        unsaid = not (request.subscribe or request.unsubscribe)
        wildcard = WILDCARD in names or (unsaid and channel.type_url in LEGACY_WILDCARD)
        names -= {WILDCARD}
        subscription = subscribe_to(wildcard, names)
        claimed = {name: v for name, v in request.versions.items() if subscription.covers(name)}
        for name in self._warming(channel):
            claimed.pop(name, None)
        channel.narrow(subscription, self._claimed(channel, claimed))
        channel.owed = wildcard  # D-EMPTY: answered even when there is nothing to say
        channel.forced = names - claimed.keys()
        if self._ttl_applies():
            channel.beat_at = 0.0  # at once: what it holds is running out, since when we do not know

    def _claimed(self, channel: Channel, versions: dict[str, str]) -> View:
        """What the client says it has, as a view: what differs from ours is kept as what it is."""
        kept: dict[str, Resource | None] = {}
        for name, version in versions.items():
            current = self.group.find(channel.type_url, name)
            if current is None or current.version != version:
                kept[name] = self.group.recall(channel.type_url, name, version)
        return self.group.view(channel.type_url, subscribe_to(False, frozenset(versions)), kept)

    def _warming(self, channel: Channel) -> Iterable[str]:
        """Endpoints that the client needs again though it has them: their cluster was just sent (WARM)."""
        clusters = self.channels.get(CLUSTER)
        if channel.type_url != ENDPOINT or clusters is None:
            return
        for name in clusters.doubts:
            cluster = clusters.sent.get(name)
            if cluster is not None:
                yield from cluster.links.endpoints

    def _subscribe(self, channel: Channel, request: DeltaRequest) -> None:
        wildcard, names = channel.subscription.wildcard, set(channel.subscription.names)
        again = set(channel.forced)
        for name in request.subscribe:
            if name == WILDCARD:
                wildcard = True
                again.update(self.group.view(channel.type_url, subscribe_to(True, frozenset())).names())
                # What is under way will be kept, too, though it may be gone by now.
                again.update(*channel.in_flight.values())
                channel.owed = True
            else:
                names.add(name)
                again.add(name)  # D-RESUB, D-MISSING: each subscription is answered
        dropped = {name for name in request.unsubscribe if name in names}
        if WILDCARD in request.unsubscribe:
            wildcard = False
        names -= dropped
        if wildcard:
            again |= dropped  # WILD-NAMED: the client forgot it, though it still wants everything
        self._check_names((), len(names))
        subscription = subscribe_to(wildcard, frozenset(names))
        channel.forced = frozenset(name for name in again if subscription.covers(name))
        if subscription is not channel.subscription:
            channel.narrow(subscription, self._still_held(channel, subscription))

    # Responses

    def _must_wait(self, channel: Channel, target: View) -> bool:
        """An empty first answer (D-EMPTY) would say that there is nothing, while it is only withheld."""
        first = channel.owed and not channel.number and not channel.forced - target.withheld
        return first and bool(target.withheld) and not any(target) and self._awaits_clusters()

    def _has_news(self, channel: Channel, change: Change, target: View) -> bool:
        return bool(channel.owed or change.names or channel.forced - target.withheld)

    def _is_urgent(self, channel: Channel, target: View) -> bool:
        # The answers to so many can be told apart; more that is asked for goes with the next of them.
        if len(channel.in_flight) >= _MAX_IN_FLIGHT:
            return False
        return bool(channel.owed or channel.forced - target.withheld)

    def _respond(self, channel: Channel, change: Change, target: View, now: float) -> bytes:
        later = channel.forced & target.withheld
        names = change.names
        if not channel.forced <= names:
            names = names | channel.forced
        if target.kept:
            names = names - target.withheld
        if channel.doubts:
            # What was refused goes again with what is new; what is under way has its own answer coming.
            names = names.union(channel.doubts.keys() - frozenset().union(*channel.in_flight.values()))
        form = Form.DELTA_TTL if self._ttl_applies() else Form.DELTA
        response = self.group.response(channel.type_url, target, names, form)
        message = self._record(channel, target, names, response, now)
        self._fly(channel, names)
        channel.forced = later or NO_NAMES
        return message

    def _heartbeat(self, channel: Channel, names: frozenset[str], now: float) -> bytes | None:
        response = self.group.response(channel.type_url, channel.sent, names, Form.DELTA_BEAT)
        message = self._record(channel, channel.sent, NO_NAMES, response, now)
        self._fly(channel, NO_NAMES)
        return message

    @staticmethod
    def _fly(channel: Channel, names: frozenset[str]) -> None:
        """The response that was just recorded is under way; older ones no longer tell of what it repeats."""
        flights = channel.in_flight
        for old, flown in flights.items():
            flights[old] = flown - names
        if len(flights) >= _MAX_IN_FLIGHT:
            del flights[next(iter(flights))]
        flights[channel.nonce] = names
