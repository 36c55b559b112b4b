"""The state-of-the-world protocol: each request carries the whole list of names, each response what it names.

Source: ``xds_protocol``, sections "The xDS transport protocol" to "Resource removal".
"""

from __future__ import annotations

from .channel import Channel
from .session import Session
from .subscription import EVERYTHING, Subscription, subscribe_to
from .types import DEPENDENT, FULL_STATE, LEGACY_WILDCARD, WILDCARD
from .view import NO_NAMES, Change, View
from .wire import Form, Request, parse_request


class SotwSession(Session):
    """State-of-the-world on one stream."""

    parse = staticmethod(parse_request)

    def receive(self, data: bytes, now: float) -> None:
        asked = (channel.subscription for channel in self.channels.values())
        self.take(parse_request(data, [each for each in asked if each.encoded]), now)

    def take(self, request: Request, now: float) -> None:
        type_url = self._check_type(request.type_url)
        channel = self.channels.get(type_url)
        if channel is None:
            channel = self._open_channel(type_url)
            self._subscribe(channel, request.names)
            channel.claims = bool(request.version)
            self._trust(channel, request.version)
            return
        if request.nonce != channel.nonce:
            # Row NONCE-SOTW: it was sent before the latest response had arrived. Its names come again with
            # the answer to that one; noting them now would make that answer look as if it asked for nothing
            # new.
            self.ignored += 1
            return
        if channel.outstanding:
            if request.error is None:
                self._expect_endpoints(channel, now)
                channel.record_ack(now)
            else:
                channel.record_nack(request.error[: self.settings.nack_text_chars], now)
            self.unsaid = self.unsaid or self.waiting
        self._subscribe(channel, request.names)

    def _subscribe(self, channel: Channel, names: tuple[str, ...]) -> None:
        if names and (names is channel.listed or names == channel.listed):
            return
        subscription = self._subscription(channel, names)
        subscription.note(names)
        channel.listed = subscription.listed  # one list for all who ask for the same
        if subscription is channel.subscription:
            return
        if channel.type_url in FULL_STATE and channel.subscription.meet(subscription) is not subscription:
            channel.owed = True
        self.unsaid = True
        if channel.subscription.wildcard and subscription.wildcard:
            # Row RESEND: a name beside the wildcard is new, though everything was asked for before.
            news = subscription.names - channel.subscription.names
            channel.forced |= {name for name in news if channel.sent.get(name) is not None}
        channel.narrow(subscription, self._still_held(channel, subscription))

    def _trust(self, channel: Channel, version: str) -> None:
        """A returning client names the version that it last accepted: what is gone leaves it in stages too.

        It is answered in full all the same: after a partial NACK it may hold more than it claims.
        """
        held = self.group.recall_view(channel.type_url, channel.subscription, version) if version else None
        if held is not None and channel.type_url in DEPENDENT:
            channel.narrow(channel.subscription, held)
            channel.forced = frozenset(resource.name for resource in held)

    def _subscription(self, channel: Channel, names: tuple[str, ...]) -> Subscription:
        if names:
            self._check_names(names, len(names))
            channel.named = True
            listed = frozenset(names)
            return subscribe_to(WILDCARD in listed, listed - {WILDCARD})
        if channel.type_url in LEGACY_WILDCARD and not channel.named:
            return EVERYTHING
        return subscribe_to(False, frozenset())

    def _must_wait(self, channel: Channel, target: View) -> bool:
        """A first answer would delete what the client may hold of a name that is withheld from it.

        A client that holds nothing waits only for the answer that is under way: once it has refused a
        cluster, it gets what leads elsewhere.
        """
        if channel.type_url not in FULL_STATE or channel.number or None not in target.kept.values():
            return False
        return channel.claims or self._awaits_clusters()

    def _has_news(self, channel: Channel, change: Change, target: View) -> bool:
        if channel.type_url in FULL_STATE:
            return bool(channel.owed or change.names or channel.forced)
        # These cannot say that something is gone, so that a removal is no news.
        return bool(change.put or channel.forced)

    def _respond(self, channel: Channel, change: Change, target: View, now: float) -> bytes:
        whole = channel.type_url in FULL_STATE
        names = change.names if whole else change.put
        if channel.forced:
            names = names | channel.forced
        if channel.doubts:
            # With them an acknowledgement covers everything that was sent so far.
            names = names.union(channel.doubts)
        form = Form.SOTW_TTL if self._ttl_applies() else Form.SOTW
        response = self.group.response(channel.type_url, target, None if whole else names, form)
        channel.forced = NO_NAMES
        return self._record(channel, target, names, response, now)

    def _heartbeat(self, channel: Channel, names: frozenset[str], now: float) -> bytes | None:
        if channel.type_url in FULL_STATE or channel.doubts:
            # A set of mere heartbeats would read as "all else is gone", or take the place of what is doubted.
            return None
        response = self.group.response(channel.type_url, channel.sent, names, Form.SOTW_BEAT)
        return self._record(channel, channel.sent, NO_NAMES, response, now)
