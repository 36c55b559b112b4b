"""What one client has asked for, of one type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from weakref import WeakValueDictionary


@dataclass(frozen=True, eq=False)
class Subscription:
    """Everything (``wildcard``), some names, or both. Made by ``subscribe_to`` only, so equal ones are one
    object.
    """

    wildcard: bool
    names: frozenset[str]

    def covers(self, name: str) -> bool:
        return self.wildcard or name in self.names

    def meet(self, other: Subscription) -> Subscription:
        """What both ask for."""
        if self is other:
            return self
        if self.wildcard:
            return other if not other.wildcard else subscribe_to(True, self.names & other.names)
        return subscribe_to(False, self.names if other.wildcard else self.names & other.names)


_known: WeakValueDictionary[tuple[bool, frozenset[str]], Subscription] = WeakValueDictionary()


def subscribe_to(wildcard: bool, names: frozenset[str]) -> Subscription:
    """The one object for this subscription: proxies that ask for the same share it, and what is computed for
    it.
    """
    key = (wildcard, names)
    found = _known.get(key)
    if found is None:
        found = _known[key] = Subscription(wildcard, names)
    return found


NOTHING: Final = subscribe_to(False, frozenset())
EVERYTHING: Final = subscribe_to(True, frozenset())
