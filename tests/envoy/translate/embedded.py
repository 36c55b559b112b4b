"""All that a gateway's Envoy would be told, in one bootstrap: a control plane is not needed to try it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from envoy.config.bootstrap.v3.bootstrap_pb2 import Bootstrap
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)
from google.protobuf.json_format import MessageToDict

from bluegreen.model.gateway import Gateway
from bluegreen.model.traffic import ServiceTraffic
from bluegreen.switches.envoy.translate.clusters import clusters
from bluegreen.switches.envoy.translate.endpoints import load_assignments
from bluegreen.switches.envoy.translate.listeners import listeners
from bluegreen.switches.envoy.translate.packing import packed
from bluegreen.switches.envoy.translate.route_tables import RouteTable


def embedded(gateway: Gateway, services: Iterable[ServiceTraffic], directory: Path) -> dict[str, Any]:
    """The bootstrap; endpoints stand in files of `directory`, one each, where EDS finds them."""
    tables = (RouteTable.production(gateway.name), RouteTable.preview(gateway.name))
    made = Bootstrap()
    for traffic in services:
        for table in tables:
            table.put(traffic)
        for assignment in load_assignments(traffic):
            answer = {"version_info": "1", "resources": [MessageToDict(packed(assignment))]}
            _endpoints(directory, assignment.cluster_name).write_text(json.dumps(answer))
        made.static_resources.clusters.extend(_from_file(each, directory) for each in clusters(traffic))
    made.static_resources.listeners.extend(
        _with_routes(listener, table) for listener, table in zip(listeners(gateway), tables, strict=True)
    )
    made.node.id, made.node.cluster = "edge-1", gateway.name
    made.admin.address.socket_address.address = "127.0.0.1"
    made.admin.address.socket_address.port_value = 0
    made.layered_runtime.layers.add(name="admin").admin_layer.SetInParent()
    values: dict[str, Any] = MessageToDict(made)
    return values


def _from_file(cluster: Cluster, directory: Path) -> Cluster:
    if cluster.type == Cluster.EDS:
        config = cluster.eds_cluster_config
        config.eds_config.Clear()
        config.eds_config.path_config_source.path = str(_endpoints(directory, config.service_name))
    return cluster


def _endpoints(directory: Path, name: str) -> Path:
    return directory / f"{name.replace('/', '_')}.json"


def _with_routes(listener: Listener, table: RouteTable) -> Listener:
    manager, held = HttpConnectionManager(), listener.filter_chains[0].filters[0].typed_config
    held.Unpack(manager)
    manager.route_config.MergeFromString(table.encode())
    held.CopyFrom(packed(manager))
    return listener
