"""Who is known of the fleet, for as long as it is to be: also by the next process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from bluegreen.model.duration import format_duration
from bluegreen.model.errors import NotServing, UnknownName
from bluegreen.model.event import CONTROLLER, Origin
from bluegreen.model.gateway import Gateway
from bluegreen.model.known_proxy import KnownProxy
from bluegreen.model.store import Store
from bluegreen.model.traffic_switch import TrafficSwitch
from bluegreen.rollout.clock import Clock

LOOK_FOR_GONE_EVERY = 5.0
"""Seconds between two looks for proxies that are to be forgotten."""

RETRY_AFTER = 1.0
"""Seconds until what could not be recorded is tried again."""

log = logging.getLogger(__name__)


class FleetMemory:
    """Makes durable which proxies the switch sees, and forgets them when it is time."""

    def __init__(
        self,
        store: Store,
        switch: TrafficSwitch,
        clock: Clock,
        gateways: Callable[[], Mapping[str, Gateway]],
    ) -> None:
        self._store, self._switch, self._clock, self._gateways = store, switch, clock, gateways
        self._news: asyncio.Queue[KnownProxy] = asyncio.Queue()
        switch.on_proxy_seen(self._news.put_nowait)

    async def load(self) -> None:
        """Tell the switch who was known."""
        self._switch.know(await self._store.known_proxies())

    async def remember(self) -> None:
        """Make durable who is seen, until cancelled. A whole fleet that connects at once is one transaction,
        or a few."""
        while True:
            seen = [await self._news.get()]
            while not self._news.empty():
                seen.append(self._news.get_nowait())
            newest = {proxy.id: proxy for proxy in seen}
            await self._record(list(newest.values()))

    async def forget(self, proxy: str, origin: Origin) -> None:
        """Strike a proxy from the fleet. Raises UnknownName."""
        await self._store.forget_proxy(proxy, self._clock.now(), origin)
        self._switch.forget(proxy)

    async def forget_gone(self) -> None:
        """Forget those that have been gone for longer than their gateway says, until cancelled. Time in which
        this process did not run is not counted: nobody could connect."""
        began = self._clock.now()
        while True:
            await asyncio.sleep(LOOK_FOR_GONE_EVERY)
            gateways = self._gateways()
            if all(gateway.forget_after is None for gateway in gateways.values()):
                continue
            now = self._clock.now()
            for proxy in self._switch.fleet():
                gateway = gateways.get(proxy.gateway)
                after = gateway.forget_after if gateway is not None else None
                if after is not None and not proxy.is_connected and now > max(began, proxy.last_seen) + after:
                    reason = f"not connected for more than {format_duration(after)}"
                    log.info("%s is forgotten: %s", proxy.id, reason)
                    await self._try_to_forget(proxy.id, Origin(CONTROLLER.actor, reason))

    async def _try_to_forget(self, proxy: str, origin: Origin) -> None:
        try:
            await self.forget(proxy, origin)
        except UnknownName:
            self._switch.forget(proxy)  # it was forgotten meanwhile
        except NotServing as error:
            log.warning("cannot forget %s: %s", proxy, error)

    async def _record(self, proxies: Sequence[KnownProxy]) -> None:
        while True:
            try:
                return await self._store.remember_proxies(proxies)
            except NotServing as error:
                log.warning("cannot record %d proxies: %s", len(proxies), error)
                await asyncio.sleep(RETRY_AFTER)
