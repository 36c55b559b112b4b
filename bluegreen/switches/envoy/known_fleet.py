"""Every proxy that was ever seen and not forgotten, connected or not: what barriers wait for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from bluegreen.model.known_proxy import KnownProxy


class KnownFleet:
    """The known proxies by id. `seen` is told of every one that has to be made durable."""

    def __init__(self) -> None:
        self._proxies: dict[str, KnownProxy] = {}
        self._listeners: list[Callable[[KnownProxy], None]] = []

    def load(self, proxies: Iterable[KnownProxy]) -> None:
        self._proxies = {proxy.id: proxy for proxy in proxies}

    def on_seen(self, notify: Callable[[KnownProxy], None]) -> None:
        self._listeners.append(notify)

    def saw(self, id_: str, gateway: str, version: str, now: float) -> None:
        """Note a proxy that has connected, moved to another gateway, or gone."""
        known = self._proxies.get(id_) or KnownProxy(id_, gateway, version, now, now)
        known = replace(known, gateway=gateway, version=version or known.version, last_seen=now)
        self._proxies[id_] = known
        for notify in self._listeners:
            notify(known)

    def forget(self, id_: str) -> None:
        self._proxies.pop(id_, None)

    def get(self, id_: str) -> KnownProxy | None:
        return self._proxies.get(id_)

    def of(self, gateways: Iterable[str]) -> list[KnownProxy]:
        """Those that run one of the gateways, by id."""
        wanted = set(gateways)
        return sorted((each for each in self._proxies.values() if each.gateway in wanted), key=lambda p: p.id)

    def all(self) -> list[KnownProxy]:
        """All, by gateway and id."""
        return sorted(self._proxies.values(), key=lambda each: (each.gateway, each.id))
