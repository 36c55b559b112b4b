"""Who asks: what is kept of a proxy's node."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NodeIdentity:
    """What is kept of ``envoy.config.core.v3.Node``; the rest of it (61 KB for a real Envoy) is dropped at
    once.

    ``returning`` says that its first request names what it holds from an earlier stream: it has a state
    already, from this server or another one.

    ``version`` is what the client says of itself: "1.40.0" for an Envoy, ``user_agent_version`` for others.
    """

    id: str
    cluster: str = ""
    version: str = ""
    user_agent: str = ""
    features: frozenset[str] = frozenset()
    returning: bool = False
