"""The known fleet: a proxy that was seen is known until it is forgotten."""

from __future__ import annotations

from collections.abc import Sequence

import aiosqlite

from bluegreen.model.errors import UnknownName
from bluegreen.model.event import CONTROLLER, Event, Origin, What
from bluegreen.model.known_proxy import KnownProxy
from deployment_store.history import append_events
from deployment_store.records import insertion, proxy_row, read_proxy

_SEEN_AGAIN = """
UPDATE proxies SET gateway = :gateway, version = :version, last_seen = max(last_seen, :last_seen)
WHERE id = :id RETURNING id
"""


async def read_proxies(db: aiosqlite.Connection) -> Sequence[KnownProxy]:
    """All known proxies, in the order of gateway and name."""
    return [
        read_proxy(row) for row in await db.execute_fetchall("SELECT * FROM proxies ORDER BY gateway, id")
    ]


async def remember(db: aiosqlite.Connection, proxies: Sequence[KnownProxy]) -> None:
    """Note proxies; the first time with an event. When one was first seen is never changed."""
    for proxy in proxies:
        await _remember(db, proxy)


async def _remember(db: aiosqlite.Connection, proxy: KnownProxy) -> None:
    row = proxy_row(proxy)
    if await db.execute_fetchall(_SEEN_AGAIN, row):
        return
    await db.execute(insertion("proxies", row), row)
    message = f"Proxy {proxy.id} of gateway {proxy.gateway} is waited for from now on."
    await append_events(db, (Event(proxy.first_seen, "", What.PROXY_SEEN, CONTROLLER, message),))


async def forget(db: aiosqlite.Connection, proxy: str, at: float, origin: Origin) -> None:
    """Strike a proxy, with an event. Raises UnknownName."""
    if not await db.execute_fetchall("DELETE FROM proxies WHERE id = ? RETURNING id", (proxy,)):
        raise UnknownName("proxy", proxy, (each.id for each in await read_proxies(db)))
    message = f"Proxy {proxy} is forgotten: no rollout waits for it any more."
    await append_events(db, (Event(at, "", What.PROXY_FORGOTTEN, origin, message),))
