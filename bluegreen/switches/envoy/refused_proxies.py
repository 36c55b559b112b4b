"""Proxies that were turned away, so that whoever looks for one finds it, and the reason."""

from __future__ import annotations

import logging

from bluegreen.model.fleet import ProxyFacts

MAXIMUM = 200
"""Proxies remembered; a refused one tries again every few seconds, so who is still there comes back."""

FORGOTTEN_AFTER = 120.0
"""Seconds without another try."""

MAXIMUM_TEXT = 100
"""Characters shown of an id or a gateway: whatever the stranger has sent."""

log = logging.getLogger(__name__)


class RefusedProxies:
    """The log tells of each once; `facts` of those that have tried of late."""

    def __init__(self) -> None:
        self._refused: dict[str, ProxyFacts] = {}

    def note(self, proxy: str, gateway: str, reason: str, now: float) -> None:
        id_, gateway = _shown(proxy), _shown(gateway)
        before = self._refused.get(id_)
        if before is None or before.refused != reason:
            log.warning("proxy %s of gateway %s is refused: %s", id_, gateway, reason)
        if before is None and len(self._refused) >= MAXIMUM:
            del self._refused[next(iter(self._refused))]
        first = before.first_seen if before is not None else now
        self._refused[id_] = ProxyFacts(id_, gateway, "", first, now, refused=reason)

    def drop(self, proxy: str) -> None:
        """It is turned away no more."""
        self._refused.pop(_shown(proxy), None)

    def facts(self, now: float) -> list[ProxyFacts]:
        self._refused = {
            id_: facts for id_, facts in self._refused.items() if facts.last_seen > now - FORGOTTEN_AFTER
        }
        return sorted(self._refused.values(), key=lambda facts: (facts.gateway, facts.id))


def _shown(text: str) -> str:
    """Printable, and not longer than a line: it comes from outside."""
    printable = "".join(each if each.isprintable() else "?" for each in text[:MAXIMUM_TEXT])
    return printable or "(none)"
