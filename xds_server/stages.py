"""Row ORDER: what one client may be given now on its way from what it has to what is published.

| what                     | goes out when                                                                   |
|--------------------------|---------------------------------------------------------------------------------|
| cluster, endpoints: put  | at once (warming needs the endpoints, so they never wait for the cluster's ACK) |
| listener, route: put     | the clusters that it leads to, and their endpoints, are proven at this client   |
| cluster: removed         | no listener or route that may be live here leads to it, and what came with the  |
|                          | removal is proven; at once if nothing leads to it and it was never acknowledged |
| endpoints: removed       | the client has no cluster left that uses them                                   |
| listener: removed        | what came with the removal is proven; at once if a new one takes its address    |
| route table: removed     | no listener that may be live here names it                                      |
| any other type           | at once                                                                         |

The wait is per resource, so that one service's stuck cluster holds back only what leads to it. A client that
does not ask for clusters on this stream, or not for that one (proxyless gRPC asks only for those that its
routes name), is not waited for. Source: ``xds_protocol``, "Eventual consistency considerations".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .channel import Channel
from .group import Group
from .resource import Resource
from .types import CLUSTER, ENDPOINT, LISTENER, ROUTE
from .view import Change, View

Kept = dict[str, Resource | None]


class Stages:
    """Decides for one stream; holds no state but the stream's channels."""

    __slots__ = ("_channels", "_group")

    def __init__(self, group: Group, channels: Mapping[str, Channel]) -> None:
        self._group = group
        self._channels = channels

    def target(self, channel: Channel) -> View:
        """What this client is to have now of the channel's type."""
        plain = self._group.view(channel.type_url, channel.subscription)
        if plain is channel.sent:
            return plain
        change = self._group.change_between(channel.type_url, channel.sent, plain)
        kept: Kept = {}
        match channel.type_url:
            case t if t == CLUSTER:
                kept = self._kept_clusters(channel, change)
            case t if t == ENDPOINT:
                kept = self._kept(channel, change, "endpoints", CLUSTER)
            case t if t == LISTENER:
                kept = self._kept_listeners(channel, change, plain)
            case t if t == ROUTE:
                kept = self._kept(channel, change, "routes", LISTENER)
                kept |= self._withheld(channel, change, plain)
            case _:
                pass
        return self._group.view(channel.type_url, channel.subscription, kept) if kept else plain

    # Removals

    def _kept_clusters(self, channel: Channel, change: Change) -> Kept:
        if not change.gone:
            return {}
        kept: Kept = {}
        used = self._in_use("clusters", LISTENER, ROUTE)
        returning = channel.acked_at is None and channel.nack is None and not channel.doubts
        for name in change.gone:
            old = channel.sent.get(name)
            if old is None:
                continue
            if returning:
                # A client that was away holds it from before: it says what it routes to after this answer.
                waits = self._group.may_be_routed(old)
            else:
                waits = self._was_acked(channel, name) and self._is_blocked(channel, name, change)
            if waits or name in used:
                kept[name] = old
        return kept

    def _kept(self, channel: Channel, change: Change, kind: str, *users: str) -> Kept:
        if not change.gone:
            return {}
        used = self._in_use(kind, *users)
        return {name: channel.sent.get(name) for name in change.gone if name in used}

    def _kept_listeners(self, channel: Channel, change: Change, plain: View) -> Kept:
        kept: Kept = {}
        if change.gone:
            arriving = [plain.get(name) for name in change.put]
            taken = {address for listener in arriving if listener for address in listener.links.addresses}
            for name in change.gone:
                old = channel.sent.get(name)
                # One without a body is a returning client's: what address it has we do not know.
                conflicts = old is None or not old.body or not taken.isdisjoint(old.links.addresses)
                if (
                    not conflicts
                    and self._was_acked(channel, name)
                    and self._is_blocked(channel, name, change)
                ):
                    kept[name] = old
        return kept | self._withheld(channel, change, plain)

    def _is_blocked(self, channel: Channel, name: str, change: Change) -> bool:
        """A removal waits for the additions that were first seen with it, while they are still wanted."""
        blockers = channel.blockers.get(name)
        if blockers is None:
            blockers = channel.blockers[name] = change.put
        return self._is_any_unproven(channel, blockers)

    def _is_any_unproven(self, channel: Channel, blockers: frozenset[str]) -> bool:
        wanted = self._group.view(channel.type_url, channel.subscription)
        return any(
            (new := wanted.get(blocker)) is not None
            and not (self._has(channel, new) and channel.proves(blocker))
            for blocker in blockers
        )

    @staticmethod
    def _was_acked(channel: Channel, name: str) -> bool:
        older = channel.doubts.get(name)
        return older is None or any(older)

    def _in_use(self, kind: str, *types: str) -> frozenset[str]:
        """The names of a kind (a field of Links) that something leads to that may be live at this client."""
        used: frozenset[str] = frozenset()
        for channel in self._asked(*types):
            used = used.union(
                getattr(channel.sent.linked, kind),
                *(getattr(old.links, kind) for older in channel.doubts.values() for old in older if old),
            )
        return used

    # Changes of listeners and routes

    def _withheld(self, channel: Channel, change: Change, plain: View) -> Kept:
        if not change.put or self._clusters_settled():
            return {}
        return {
            name: change.before[name]
            for name in change.put
            if (new := plain.get(name)) is not None and not self._is_ready(channel, new)
        }

    def _clusters_settled(self) -> bool:
        """Whether everything that is published is proven here, so that nothing can be waited for."""
        return all(
            not channel.doubts
            and not channel.expected
            and channel.sent.subscription is channel.subscription
            and channel.sent.table.last is None
            for channel in self._asked(CLUSTER, ENDPOINT)
        )

    def _is_ready(self, channel: Channel, resource: Resource) -> bool:
        clusters = resource.links.clusters
        for name in resource.links.routes:
            route = self._group.find(ROUTE, name)
            clusters = clusters | route.links.clusters if route else clusters
        if clusters:
            return all(self._is_cluster_ready(name) for name in clusters)
        return not (channel.nonce and self._awaits_companions(channel, resource.name))

    def _awaits_companions(self, channel: Channel, name: str) -> bool:
        """What leads to no cluster that we can see waits for the clusters that were published together with
        it.
        """
        companions = self._channels.get(CLUSTER)
        if companions is None:
            return False
        blockers = channel.blockers.get(name)
        if blockers is None:
            wanted = self._group.view(CLUSTER, companions.subscription)
            if companions.sent.table is not wanted.table:
                blockers = self._group.change_between(CLUSTER, companions.sent, wanted).put
            elif companions.news_generation == self._group.generation:
                blockers = companions.news
            else:
                blockers = frozenset()
            channel.blockers[name] = blockers
        return self._is_any_unproven(companions, blockers)

    def _is_cluster_ready(self, name: str) -> bool:
        cluster = self._group.find(CLUSTER, name)
        channel = self._channels.get(CLUSTER)
        if cluster is None or channel is None or not channel.subscription.covers(name):
            return True
        if not self._has(channel, cluster) or not (channel.proves(name) or channel.spares(name)):
            return False
        return all(self._are_endpoints_ready(service) for service in cluster.links.endpoints)

    def _are_endpoints_ready(self, name: str) -> bool:
        endpoints = self._group.find(ENDPOINT, name)
        channel = self._channels.get(ENDPOINT)
        if endpoints is None or channel is None:
            return True
        if not channel.subscription.covers(name):
            return name not in channel.expected
        return self._has(channel, endpoints) and channel.proves(name)

    @staticmethod
    def _has(channel: Channel, wanted: Resource) -> bool:
        sent = channel.sent.get(wanted.name)
        return sent is not None and sent.version == wanted.version

    def _asked(self, *types: str) -> Iterator[Channel]:
        for type_url in types:
            channel = self._channels.get(type_url)
            if channel is not None:
                yield channel
