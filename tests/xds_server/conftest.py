"""Fixtures for the server's tests."""

from __future__ import annotations

import pytest

from xds_server import NodeIdentity, XdsServer


def by_cluster(node: NodeIdentity) -> str | None:
    return node.cluster if node.cluster in ("edge", "sidecar") else None


@pytest.fixture
def server() -> XdsServer:
    server = XdsServer(by_cluster)
    server.start_serving()
    return server
