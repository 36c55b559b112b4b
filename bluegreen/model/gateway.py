"""A named set of listeners that a group of Envoys runs."""

from __future__ import annotations

from dataclasses import dataclass

from bluegreen.model.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class Gateway:
    """An edge, or sidecars. An Envoy belongs to it by `node.cluster`.

    `preview` is a listener of its own, so that no header on the production listener lets strangers reach
    a version that has not been tested. It is on the loopback interface unless told otherwise.
    """

    name: str
    listen: Endpoint
    preview: Endpoint
    # Seconds after which a proxy that is gone is forgotten by itself, so that no rollout waits for it; None:
    # never, since one that is only cut off still sends traffic by what it was told last.
    forget_after: float | None = None
    # Where the two listeners are reached from here, such as http://edge.internal:8080, for the tests of
    # versions. None: the address that it listens on, where that is one.
    url: str | None = None
    preview_url: str | None = None
