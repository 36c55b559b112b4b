"""Free ports on loopback, for programs that cannot bind port 0 and say which they got."""

from __future__ import annotations

import secrets
import socket

# Below the range from which systems take the source ports of outgoing connections (Linux 32768, macOS 49152):
# a port found free there may be taken by any connection a moment later.
LOWEST, HIGHEST = 20_000, 32_000

_handed_out: set[int] = set()


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port nobody listens on, never the same twice in one process. Raises OSError if there is none."""
    for _ in range(1_000):
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST)
        if port not in _handed_out and is_free(port, host):
            _handed_out.add(port)
            return port
    raise OSError(f"no free port on {host} between {LOWEST} and {HIGHEST}")


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a listener could take the port now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
