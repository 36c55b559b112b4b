"""Serve an Envoy with hand-made resources, and print what it acknowledges.

python examples/standalone_xds.py [XDS_PORT [LISTEN_PORT [BACKEND_PORT]]]
"""

from __future__ import annotations

import asyncio
import sys

import grpc
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.extensions.filters.network.tcp_proxy.v3.tcp_proxy_pb2 import TcpProxy

from xds_server import CLUSTER, LISTENER, Resource, XdsServer, server_options


def resources(listen_port: int, backend_port: int) -> list[Resource]:
    cluster = Cluster(name="backend", load_assignment={"cluster_name": "backend"})
    endpoint = cluster.load_assignment.endpoints.add().lb_endpoints.add().endpoint.address.socket_address
    endpoint.address, endpoint.port_value = "127.0.0.1", backend_port

    listener = Listener(name="entry")
    listener.address.socket_address.address = "127.0.0.1"
    listener.address.socket_address.port_value = listen_port
    proxy = TcpProxy(stat_prefix="entry", cluster="backend")
    listener.filter_chains.add().filters.add(name="tcp").typed_config.Pack(proxy)
    return [Resource.of(cluster), Resource.of(listener)]


async def main(xds_port: int = 18000, listen_port: int = 10000, backend_port: int = 8080) -> None:
    xds = XdsServer(group_of=lambda node: "everyone")
    generation = xds.publish("everyone", resources(listen_port, backend_port))
    xds.start_serving()

    def report(node_id: str) -> None:
        proxy = xds.fleet.get(node_id)
        if proxy and all(proxy.acked_generation(kind) == generation for kind in (CLUSTER, LISTENER)):
            print(f"{node_id} has acknowledged everything", flush=True)

    xds.fleet.on_change(report)
    server = grpc.aio.server(options=server_options())
    xds.add_to(server)
    server.add_insecure_port(f"127.0.0.1:{xds_port}")
    await server.start()
    await server.wait_for_termination()


asyncio.run(main(*map(int, sys.argv[1:])))
