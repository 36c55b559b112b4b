"""envoy-data-plane's classes, by the full names of their messages."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

# What stands in an Any is read once its module is known.
EXTENSIONS = (
    "access_loggers.stream",
    "filters.http.grpc_stats",
    "filters.http.router",
    "filters.network.http_connection_manager",
    "retry.host.previous_hosts",
    "upstreams.http",
)


def decoder(full_name: str) -> Any:
    """The class for a message such as envoy.config.cluster.v3.Cluster."""
    package, _, name = full_name.rpartition(".")
    with warnings.catch_warnings():
        # Its modules use pydantic in a way that pydantic calls deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        for extension in EXTENSIONS:
            importlib.import_module(f"envoy_data_plane.envoy.extensions.{extension}.v3")
        return getattr(importlib.import_module(f"envoy_data_plane.{package}"), name)
