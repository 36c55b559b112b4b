"""Whether a snapshot may be published: all that is wrong with it is found before any of it goes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from .resource import Resource
from .types import CLUSTER, ENDPOINT, ROUTE, WILDCARD

_MAX_NAME_BYTES: Final = 4_096

# Seconds. Half of it is the pace of the heartbeats; the most is that of google.protobuf.Duration.
_MIN_TTL: Final = 0.01
_MAX_TTL: Final = 315_576_000_000

Key = tuple[str, str]


def check_names(resources: Iterable[Resource]) -> list[str]:
    """Faults whoever publishes: duplicates (row DUP), names that no client could ask for, times that
    cannot be kept.
    """
    faults: list[str] = []
    resources = list(resources)
    for resource in resources:
        if resource.ttl is not None and not _MIN_TTL <= resource.ttl <= _MAX_TTL:
            faults.append(f"{resource.type_url} {resource.name!r} has a time to live of {resource.ttl} s")
    seen: Counter[Key] = Counter(resource.key for resource in resources)
    for (type_url, name), count in seen.items():
        if count > 1:
            faults.append(f"{type_url} {name!r} is given {count} times")
        if not name:
            faults.append(f"a {type_url} has no name")
        elif name == WILDCARD or not name.isprintable() or len(name.encode()) > _MAX_NAME_BYTES:
            faults.append(f"{type_url} {name[:80]!r} is not a usable name")
        if not type_url:
            faults.append(f"{name!r} has no type")
    return faults


def references(resource: Resource) -> Iterator[Key]:
    """What must be there for this resource to work."""
    links = resource.links
    for type_url, names in ((CLUSTER, links.clusters), (ENDPOINT, links.endpoints), (ROUTE, links.routes)):
        for name in names:
            yield (type_url, name)


class ReferenceCount:
    """How many published resources refer to each name, so that a change is checked by what it changes."""

    def __init__(self) -> None:
        self._count: Counter[Key] = Counter()

    def check(
        self, changed: Mapping[Key, Resource | None], find: Callable[[str, str], Resource | None]
    ) -> list[str]:
        """A sentence for each reference that would lead nowhere."""
        faults: list[str] = []
        for resource in changed.values():
            if resource is None:
                continue
            for key in references(resource):
                there = changed[key] if key in changed else find(*key)
                if there is None:
                    faults.append(f"{resource.name!r} refers to {key[0]} {key[1]!r}, which is not there")
        dropped = self._dropped(changed, find)
        for key, resource in changed.items():
            left = self._count[key] - dropped[key] if resource is None else 0
            if left > 0:
                faults.append(f"{key[0]} {key[1]!r} is removed, but {left} resource(s) refer to it")
        return faults

    def apply(
        self, changed: Mapping[Key, Resource | None], find: Callable[[str, str], Resource | None]
    ) -> None:
        """Count the change in; called before the tables change."""
        for key, lost in self._dropped(changed, find).items():
            self._count[key] -= lost
            if not self._count[key]:
                del self._count[key]
        for resource in changed.values():
            if resource is not None:
                self._count.update(references(resource))

    @staticmethod
    def _dropped(
        changed: Mapping[Key, Resource | None], find: Callable[[str, str], Resource | None]
    ) -> Counter[Key]:
        dropped: Counter[Key] = Counter()
        for key in changed:
            old = find(*key)
            if old is not None:
                dropped.update(references(old))
        return dropped
