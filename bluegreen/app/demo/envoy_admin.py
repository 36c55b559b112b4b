"""A small client of one Envoy's admin interface.

https://www.envoyproxy.io/docs/envoy/latest/operations/admin
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

TIMEOUT = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True, slots=True)
class EnvoyAdmin:
    """Asks one admin interface; a call raises aiohttp.ClientError when there is no good answer."""

    host: str
    port: int

    async def is_ready(self) -> bool:
        """Whether it is live: started, listeners and clusters initialised. False while nobody answers."""
        async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
            try:
                async with session.get(self._url("/ready")) as response:
                    return response.status == 200
            except aiohttp.ClientConnectionError:
                return False

    async def stats(self, pattern: str = "") -> dict[str, int]:
        """Counters and gauges by name; only those whose name `pattern`, a regular expression, is found in."""
        answer = await self._json("/stats", {"format": "json", "filter": pattern})
        # Histograms come in the same list without a name and a single value.
        return {
            entry["name"]: entry["value"] for entry in answer["stats"] if isinstance(entry.get("value"), int)
        }

    async def clusters(self) -> list[dict[str, Any]]:
        """Each cluster with its hosts, their health and their numbers."""
        return list((await self._json("/clusters", {"format": "json"})).get("cluster_statuses", []))

    async def config_dump(self, resource: str = "") -> dict[str, Any]:
        """The configuration in force, endpoints too; or one `resource`, such as `dynamic_route_configs`."""
        return await self._json("/config_dump", {"resource": resource} if resource else {"include_eds": "on"})

    async def listeners(self) -> dict[str, tuple[str, int]]:
        """Where each listener really listens, by name: tells the port when the configuration said 0."""
        answer = await self._json("/listeners", {"format": "json"})
        addresses = {entry["name"]: entry["local_address"] for entry in answer.get("listener_statuses", [])}
        return {
            name: (address["socket_address"]["address"], address["socket_address"]["port_value"])
            for name, address in addresses.items()
            if "socket_address" in address
        }

    async def post(self, path: str) -> str:
        """Do something that changes it, such as `/drain_listeners?graceful`; the answer's text."""
        async with (
            aiohttp.ClientSession(timeout=TIMEOUT, raise_for_status=True) as session,
            session.post(self._url(path)) as response,
        ):
            return await response.text()

    async def _json(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        async with (
            aiohttp.ClientSession(timeout=TIMEOUT, raise_for_status=True) as session,
            session.get(self._url(path), params=query) as response,
        ):
            answer: dict[str, Any] = await response.json(content_type=None)
            return answer

    def _url(self, path: str) -> str:
        return f"http://{self.host}:{self.port}{path}"
