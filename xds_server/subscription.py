"""What one client has asked for, of one type."""

from __future__ import annotations

from typing import Final
from weakref import WeakValueDictionary

from .wire import encode_names

_LONG: Final = 32
"""Names from which on comparing bytes is quicker than reading them."""


class Subscription:
    """Everything (``wildcard``), some names, or both. Made by ``subscribe_to``: equal ones are one.

    ``listed`` is how a client has written it in a request, and ``encoded`` its bytes if it is long, kept so
    that the next one need only be compared.
    """

    __slots__ = ("__weakref__", "encoded", "listed", "names", "wildcard")

    def __init__(self, wildcard: bool, names: frozenset[str]) -> None:
        self.wildcard = wildcard
        self.names = names
        self.listed: tuple[str, ...] = ()
        self.encoded = b""

    def note(self, listed: tuple[str, ...]) -> None:
        """A client asks for it in these words."""
        if self.listed != listed:
            self.listed = listed
            self.encoded = encode_names(listed) if len(listed) >= _LONG else b""

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
