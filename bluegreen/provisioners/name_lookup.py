"""Whether the names among endpoints stand for anything."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable

from bluegreen.model.endpoint import Endpoint
from bluegreen.model.errors import InvalidInput

LOOKUP_TIMEOUT = 10.0
"""Seconds for all names together."""


async def refuse_unresolvable(endpoints: Iterable[Endpoint]) -> None:
    """Look every name up. It is the proxies that resolve them in the end; this finds what is misspelt before
    they are told. Raises InvalidInput."""
    names = sorted({each.host for each in endpoints if each.is_by_name})
    try:
        async with asyncio.timeout(LOOKUP_TIMEOUT):
            for name in names:
                await _look_up(name)
    except TimeoutError:
        raise InvalidInput(f"Not resolved within {LOOKUP_TIMEOUT:g} s: {', '.join(names)[:300]}.") from None


async def _look_up(name: str) -> None:
    try:
        await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InvalidInput(f"{name!r} cannot be resolved here: {reason}. Use an IP address.") from None
