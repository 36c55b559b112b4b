"""Which proxies are connected, and what each is proven to have (row ACKED)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .channel import Channel, Nack
from .node import NodeIdentity
from .resource import Resource
from .session import Session


class Subscriptions(NamedTuple):
    wildcard: bool
    names: int


class TypeState(NamedTuple):
    """What one proxy has of one type. Over several live streams: of the one that is furthest behind. A tuple:
    of thousands of proxies four each are made for every push.

    ``acked_generation`` is the newest generation of the group that the proxy is proven to have, as far as it
    has asked: whatever changed up to it, as this proxy sees it, was acknowledged. ``nack`` stands until a
    later ACK. Times are wall seconds.
    """

    sent_version: str | None
    acked_version: str | None
    sent_generation: int | None
    acked_generation: int | None
    acked_at: float | None
    nack: Nack | None
    subscriptions: Subscriptions
    outstanding: bool


@dataclass(frozen=True, slots=True)
class ProxyState:
    """One proxy: all live streams of one node id. ``types`` has the types that it has asked for. Times: wall
    seconds.

    ``blocked_since``: since when a message waits for the proxy to read; None when none does.
    """

    node: NodeIdentity
    group: str
    streams: int
    connected_since: float
    last_seen: float
    blocked_since: float | None
    types: Mapping[str, TypeState]

    @property
    def node_id(self) -> str:
        return self.node.id

    @property
    def client_version(self) -> str:
        return self.node.version

    def acked_generation(self, type_url: str) -> int | None:
        """None when the proxy never asked for the type, or has acknowledged nothing of it yet."""
        state = self.types.get(type_url)
        return state.acked_generation if state else None


class LiveStream:
    """One stream of one proxy, as the fleet knows it. Times are monotonic seconds."""

    __slots__ = ("blocked_since", "connected_since", "last_seen", "session", "wake")

    def __init__(self, session: Session, wake: Callable[[], None], now: float) -> None:
        self.session = session
        self.wake = wake
        self.connected_since = now
        self.last_seen = now
        self.blocked_since: float | None = None


class Fleet:
    """The connected proxies. Read it from the event loop that serves them."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._wall = wall
        self._streams: dict[str, list[LiveStream]] = {}
        self._watchers: dict[object, Callable[[str], None]] = {}

    def __len__(self) -> int:
        return len(self._streams)

    def __contains__(self, node_id: str) -> bool:
        return node_id in self._streams

    def proxies(self, group: str | None = None) -> Sequence[ProxyState]:
        """All connected proxies, or those of one group."""
        return [
            self._state(streams)
            for streams in self._streams.values()
            if group is None or streams[0].session.group.name == group
        ]

    def get(self, node_id: str) -> ProxyState | None:
        streams = self._streams.get(node_id)
        return self._state(streams) if streams else None

    def holds(self, node_id: str, type_url: str, name: str, version: str | None) -> bool:
        """Whether the proxy is proven, on each of its streams that asked for it, to have this very resource.

        ``version`` None asks whether it is proven not to have it. An ACK of any later response counts, as
        long as the resource is the same; so does what ``confirm`` was told. A proxy that never asked is
        proven neither way.
        """
        asked = [
            channel
            for channel in self._channels(node_id, type_url)
            if version is None or channel.subscription.covers(name)
        ]
        return bool(asked) and all(channel.holds(name, version) for channel in asked)

    def refusals(self, node_id: str) -> Mapping[str, int]:
        """Of each type whose last refusal stands, the generation that was refused; cheaper than ``get``."""
        return {
            type_url: channel.nack.generation
            for stream in self.streams_of(node_id)
            for type_url, channel in stream.session.channels.items()
            if channel.nack is not None
        }

    def confirm(self, node_id: str, resources: Iterable[Resource]) -> None:
        """Evidence from elsewhere (a proxy's own metrics) that it uses these resources as they are.

        It sets free what waits for them at this proxy, as an ACK would, on each stream that was sent just
        these; it moves no ``acked_generation``.
        """
        seen = list(resources)
        for stream in self.streams_of(node_id):
            if stream.session.vouch(seen):
                stream.wake()

    def on_change(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Call ``callback(node_id)`` after each connect, disconnect, send, ACK, NACK; returns what ends that.

        It is called in the middle of serving: it must be quick (set an event) and must not raise.
        """
        key = object()
        self._watchers[key] = callback

        def stop() -> None:
            self._watchers.pop(key, None)

        return stop

    # For the server

    def join(self, stream: LiveStream) -> None:
        self._streams.setdefault(stream.session.node.id, []).append(stream)
        self.note(stream)

    def leave(self, stream: LiveStream) -> None:
        node_id = stream.session.node.id
        streams = self._streams[node_id]
        streams.remove(stream)
        if not streams:
            del self._streams[node_id]
        self.note(stream)

    def note(self, stream: LiveStream) -> None:
        """Something about this stream has changed."""
        if self._watchers:
            node_id = stream.session.node.id
            for callback in tuple(self._watchers.values()):  # one may end itself
                callback(node_id)

    def warm(self, node_id: str, services: frozenset[str]) -> None:
        """Clusters went out on a stream of their own: these endpoints follow on the proxy's other one."""
        for stream in self.streams_of(node_id):
            stream.session.warm(services)
            stream.wake()

    def streams(self, group: str | None = None) -> Iterator[LiveStream]:
        for streams in self._streams.values():
            for stream in streams:
                if group is None or stream.session.group.name == group:
                    yield stream

    def streams_of(self, node_id: str) -> Sequence[LiveStream]:
        return self._streams.get(node_id, ())

    def _channels(self, node_id: str, type_url: str) -> Iterator[Channel]:
        for stream in self.streams_of(node_id):
            channel = stream.session.channels.get(type_url)
            if channel is not None:
                yield channel

    def _state(self, streams: Sequence[LiveStream]) -> ProxyState:
        to_wall = self._wall() - self._clock()
        newest = streams[-1].session
        types: dict[str, TypeState] = {}
        for stream in streams:
            for type_url, channel in stream.session.channels.items():
                state = _type_state(channel, to_wall)
                types[type_url] = _behind(types[type_url], state) if type_url in types else state
        blocked = [stream.blocked_since for stream in streams if stream.blocked_since is not None]
        return ProxyState(
            newest.node,
            newest.group.name,
            len(streams),
            min(stream.connected_since for stream in streams) + to_wall,
            max(stream.last_seen for stream in streams) + to_wall,
            min(blocked) + to_wall if blocked else None,
            types,
        )


def _type_state(channel: Channel, to_wall: float) -> TypeState:
    nack = channel.nack
    return TypeState(
        sent_version=channel.sent.version if channel.number else None,
        acked_version=channel.acked_version,
        sent_generation=channel.sent_generation,
        acked_generation=channel.acked_generation,
        acked_at=None if channel.acked_at is None else channel.acked_at + to_wall,
        nack=Nack(nack.text, nack.generation, nack.at + to_wall) if nack else None,
        subscriptions=Subscriptions(channel.subscription.wildcard, len(channel.subscription.names)),
        outstanding=channel.outstanding,
    )


def _behind(one: TypeState, other: TypeState) -> TypeState:
    """The state that is further behind: what is proven of a proxy is proven of each of its streams."""

    def proven(state: TypeState) -> int:
        return -1 if state.acked_generation is None else state.acked_generation

    behind, ahead = (one, other) if proven(one) <= proven(other) else (other, one)
    return behind._replace(nack=behind.nack or ahead.nack, outstanding=one.outstanding or other.outstanding)
