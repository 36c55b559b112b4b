"""What one client has, or is to have, of one type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from .references import Links
from .resource import Resource
from .subscription import Subscription
from .table import DIGEST_MASK, Table

NO_NAMES: Final[frozenset[str]] = frozenset()
NONE_KEPT: Final[Mapping[str, Resource | None]] = MappingProxyType({})


class View:
    """A subscription seen through a table, save the names in ``kept``, which are still as they were before
    it.

    Immutable and shared by all clients for which the three are the same; compared by identity. ``kept`` maps
    a name to the older resource that the client keeps for now, or to None for one that is withheld from it
    for now.
    """

    __slots__ = ("_digest", "_linked", "_version", "kept", "subscription", "table")

    def __init__(self, subscription: Subscription, table: Table, kept: Mapping[str, Resource | None]) -> None:
        self.subscription = subscription
        self.table = table
        self.kept = kept
        self._digest: int | None = None
        self._version: str | None = None
        self._linked: Links | None = None

    def get(self, name: str) -> Resource | None:
        if name in self.kept:
            return self.kept[name]
        return self.table.resources.get(name) if self.subscription.covers(name) else None

    def names(self) -> Iterable[str]:
        """Every name that may have a resource here (``get`` decides)."""
        if self.subscription.wildcard:
            base: Iterable[str] = self.table.resources
        else:
            base = [name for name in self.subscription.names if name in self.table.resources]
        return (
            [*base, *(name for name in self.kept if name not in self.table.resources)] if self.kept else base
        )

    def __iter__(self) -> Iterator[Resource]:
        for name in self.names():
            resource = self.get(name)
            if resource is not None:
                yield resource

    @property
    def withheld(self) -> frozenset[str]:
        """The names that the client is not to know of yet, though they are there."""
        if not self.kept:
            return NO_NAMES
        return frozenset(name for name, resource in self.kept.items() if resource is None)

    @property
    def version(self) -> str:
        """A hash of the content: the same for the same resources, whatever the way to them (row VERSION)."""
        if self._digest is None:
            whole = self.subscription.wildcard and not self.kept
            self._digest = (
                self.table.digest if whole else sum(resource.digest for resource in self) & DIGEST_MASK
            )
        if self._version is None:
            self._version = f"{self._digest:032x}"
        return self._version

    def derive_digest(self, sent: View, before: Mapping[str, Resource | None]) -> None:
        """Know the version from that of ``sent``, by what differs."""
        if self._digest is None and sent._digest is not None:
            digest = sent._digest
            for name, old in before.items():
                new = self.get(name)
                digest += (new.digest if new else 0) - (old.digest if old else 0)
            self._digest = digest & DIGEST_MASK

    @property
    def linked(self) -> Links:
        """What any resource in this view leads to."""
        if self._linked is None:
            links = [resource.links for resource in self]
            self._linked = Links(
                frozenset().union(*(link.clusters for link in links)),
                frozenset().union(*(link.endpoints for link in links)),
                frozenset().union(*(link.routes for link in links)),
            )
        return self._linked


class Change:
    """From what a client has to what it is to have: per differing name what it had (None: nothing)."""

    __slots__ = ("before", "gone", "names", "put")

    def __init__(self, before: Mapping[str, Resource | None], target: View) -> None:
        self.before = before
        self.names = frozenset(before)
        self.put = frozenset(name for name in before if target.get(name) is not None)
        self.gone = self.names - self.put


def compare(sent: View, target: View, touched: Iterable[str] | None) -> Change:
    """``touched`` are the names that may differ apart from the kept ones; None means any."""
    if touched is None or sent.subscription is not target.subscription:
        candidates = {*sent.names(), *target.names()}
    else:
        candidates = {*touched, *sent.kept, *target.kept}
    before: dict[str, Resource | None] = {}
    for name in candidates:
        old, new = sent.get(name), target.get(name)
        if old is not new and (old is None or new is None or old.version != new.version):
            before[name] = old
    target.derive_digest(sent, before)
    return Change(before, target)
