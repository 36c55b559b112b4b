"""All resources of one type in one group, as they are from one generation to another."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from .resource import Resource

DIGEST_MASK: Final = (1 << 128) - 1
VERSION_CHARS: Final = 32
"""Of a digest in hexadecimal, which is a version."""
_REMEMBERED_CHANGES: Final = 64
_REMEMBERED_TABLES: Final = 16


@dataclass(slots=True)
class Clock:
    """A group's generation: grows by one with each publish that changes something."""

    generation: int = 0


@dataclass(slots=True, eq=False)
class Table:
    """Never changed once made, save that it is closed (``last``) when a newer one takes its place.

    ``digest`` is the sum of the resources' digests: it changes by what changes, and says nothing of the
    order.
    """

    clock: Clock
    serial: int
    resources: Mapping[str, Resource]
    digest: int = 0
    last: int | None = None

    @property
    def through(self) -> int:
        """The last generation in which the group had exactly this table."""
        return self.clock.generation if self.last is None else self.last


class TableLog:
    """The current table of one type, and which names each of its latest changes touched."""

    __slots__ = ("_changes", "_past", "current")

    def __init__(self, clock: Clock) -> None:
        self.current = Table(clock, 0, {})
        self._changes: deque[frozenset[str]] = deque(maxlen=_REMEMBERED_CHANGES)
        self._past: deque[Table] = deque(maxlen=_REMEMBERED_TABLES)

    def replace(self, changed: Mapping[str, Resource | None]) -> None:
        """Make the next table: ``changed`` names each resource that is new or different, None for one that is
        gone.

        The caller moves the clock afterwards; the old table was current up to the generation before.
        """
        old = self.current
        resources = dict(old.resources)
        digest = old.digest
        for name, resource in changed.items():
            before = resources.pop(name, None) if resource is None else resources.get(name)
            if before is not None:
                digest -= before.digest
            if resource is not None:
                resources[name] = resource
                digest += resource.digest
        self.current = Table(old.clock, old.serial + 1, resources, digest & DIGEST_MASK)
        old.last = old.clock.generation
        self._past.append(old)
        self._changes.append(frozenset(changed))

    def past(self) -> Iterator[Table]:
        """The latest tables, the current one first."""
        yield self.current
        yield from reversed(self._past)

    def changed_since(self, table: Table) -> frozenset[str] | None:
        """The names touched since ``table`` was current; None when that is too long ago to tell."""
        steps = self.current.serial - table.serial
        if steps == 1:
            return self._changes[-1]
        if steps > len(self._changes):
            return None
        return frozenset().union(*list(self._changes)[len(self._changes) - steps :])
