"""The resource types of Envoy's xDS, and how one depends on another.

Source: ``xds_protocol``, sections "Resource Types" and "Eventual consistency considerations". The server
itself is agnostic of types; only the order of publishing and the legacy wildcard know some of them by name.
"""

from __future__ import annotations

from typing import Final

PREFIX: Final = "type.googleapis.com/"

CLUSTER: Final = PREFIX + "envoy.config.cluster.v3.Cluster"
ENDPOINT: Final = PREFIX + "envoy.config.endpoint.v3.ClusterLoadAssignment"
LISTENER: Final = PREFIX + "envoy.config.listener.v3.Listener"
ROUTE: Final = PREFIX + "envoy.config.route.v3.RouteConfiguration"
SCOPED_ROUTE: Final = PREFIX + "envoy.config.route.v3.ScopedRouteConfiguration"
SECRET: Final = PREFIX + "envoy.extensions.transport_sockets.tls.v3.Secret"
RUNTIME: Final = PREFIX + "envoy.service.runtime.v3.Runtime"

# Served without being configured: those that have a service of their own beside ADS (row TYPES).
WELL_KNOWN: Final = frozenset({CLUSTER, ENDPOINT, LISTENER, ROUTE, SECRET, RUNTIME})

# In state-of-the-world each response of these carries the whole subscribed set: what is not in it, is gone
# (FULL-SOTW).
FULL_STATE: Final = frozenset({CLUSTER, LISTENER})

# An empty first list of names means everything for these (WILD-LEGACY); the others must say "*".
LEGACY_WILDCARD: Final = frozenset({CLUSTER, LISTENER, SCOPED_ROUTE})

# These lead traffic to clusters.
ROUTING: Final = frozenset({LISTENER, ROUTE})

# A client that returns is taken back from what it says it has of these, in stages.
DEPENDENT: Final = frozenset({CLUSTER, LISTENER, ROUTE})

WILDCARD: Final = "*"

# What may go out in one turn goes out in this order (make before break); other types depend on nothing that
# we know.
SENDING_ORDER: Final = {SECRET: 0, CLUSTER: 1, ENDPOINT: 2, LISTENER: 3, ROUTE: 4}
UNORDERED: Final = 5
