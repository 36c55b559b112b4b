"""Free ports are free, and nobody is given the same one."""

from __future__ import annotations

import socket

from bluegreen.app.demo.ports import free_port, is_free


def test_ports_differ_and_can_be_bound() -> None:
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == 50
    with socket.create_server(("127.0.0.1", ports[0])):
        assert not is_free(ports[0])
    assert is_free(ports[1])
