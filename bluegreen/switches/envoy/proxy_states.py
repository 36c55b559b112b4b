"""What the proxies are proven to have, kept from one look to the next."""

from __future__ import annotations

from xds_server import CLUSTER, ROUTE, Fleet, ProxyState


class ProxyStates:
    """The fleet's facts, built anew for a proxy that is looked at after it was sent or has said something:
    thousands of proxies are looked at many times a second, and few have changed in between; and thousands
    change within a moment, in which nobody looks.

    A proxy may also come to have more without a word, where a change was taken back before it was sent. So
    what is kept counts as far as it proves, or while the proxy owes an answer, which will be heard; and what
    it does not prove otherwise is looked up.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._kept: dict[str, ProxyState] = {}

    def drop(self, proxy: str) -> None:
        """The proxy has changed."""
        self._kept.pop(proxy, None)

    def refresh(self, proxy: str) -> ProxyState | None:
        """The proxy's facts of this moment; None: it is not connected."""
        state = self._fleet.get(proxy)
        if state is None:
            self.drop(proxy)
        else:
            self._kept[proxy] = state
        return state

    def get(self, proxy: str, routes: int = 0, clusters: int = 0) -> ProxyState | None:
        """The proxy's facts, of this moment where they do not prove these generations."""
        kept = self._kept.get(proxy)
        if kept is None or not (_tells(kept, ROUTE, routes) and _tells(kept, CLUSTER, clusters)):
            return self.refresh(proxy)
        return kept


def _tells(state: ProxyState, type_url: str, generation: int) -> bool:
    """Whether the proxy has this generation of a type, or cannot have it before it is heard of again."""
    if generation == 0:
        return True
    has = state.types.get(type_url)
    if has is None:
        return False
    return has.outstanding or (has.acked_generation is not None and has.acked_generation >= generation)
