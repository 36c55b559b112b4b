"""Ports for processes that must be told which to take: which are free, and where somebody listens."""

from __future__ import annotations

import asyncio
import errno
import secrets
import socket
from collections.abc import Collection
from contextlib import suppress

from bluegreen.model.endpoint import Endpoint
from bluegreen.model.errors import ProvisioningFailed

PORTS = range(20_000, 32_000)
"""Below the ports that Linux takes for outgoing connections (32768 on): one of those may be gone a moment
after it was found free, or connects to itself where nobody listens."""

CONNECT_TIMEOUT = 1.0
"""Seconds."""

_TRIES = 1_000
_TAKEN = (errno.EADDRINUSE, errno.EACCES)  # by somebody, or of the privileged ones
_OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)


def choose_port(host: str, taken: Collection[int], ports: range = PORTS) -> int:
    """A port that nobody has. Raises ProvisioningFailed where none is found, or the host is not ours."""
    for _ in range(_TRIES):
        port = ports[secrets.randbelow(len(ports))]
        if port not in taken and _binds(Endpoint(host, port), is_strict=True):
            return port
    raise ProvisioningFailed(f"There is no free port on {host} between {ports[0]} and {ports[-1]}.")


def is_free(endpoint: Endpoint) -> bool:
    """Whether nobody listens there. Connections that a listener before has left do not matter."""
    return _binds(endpoint, is_strict=False)


def _binds(endpoint: Endpoint, is_strict: bool) -> bool:
    """Raises ProvisioningFailed where the host is no address of this machine."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            endpoint.host, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, not is_strict)
            probe.bind(address)
    except OSError as error:
        if error.errno in _TAKEN:
            return False
        if error.errno in _OUT_OF_DESCRIPTORS:
            raise ProvisioningFailed(f"No port can be looked for: {error.strerror}.") from error
        raise ProvisioningFailed(
            f"{endpoint.host} is no address of this machine that processes can listen on: {error.strerror}."
        ) from error
    return True


async def listens(endpoint: Endpoint) -> bool:
    """Whether a connection is accepted there."""
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            _, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with suppress(OSError):  # it may have hung up first
        await writer.wait_closed()
    return True
