"""Where one instance of a version listens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address

from bluegreen.model.errors import InvalidInput

# A DNS name or an IPv4 address; an IPv6 address stands in brackets, as in a URL.
_ADDRESS = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253}):(?P<port>[0-9]{1,5})", re.ASCII
)
# RFC 1123, 2.1, and the underscore, which names of containers have; the dot of the root may end it.
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_ENDS_IN_A_NUMBER = re.compile(r"(?:.*\.)?[0-9]+\.?")


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """A host (a name or an IP address, IPv6 without brackets) and a TCP port."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """Read `HOST:PORT`; raise InvalidInput where it is none."""
        match = _ADDRESS.fullmatch(text.strip())
        if match is None or not 0 < int(match["port"]) < 65536 or not _is_host(match["host"]):
            raise InvalidInput(f"{text!r} is no address: write HOST:PORT, such as 127.0.0.1:8080.")
        return cls(_normal(match["host"]), int(match["port"]))

    @property
    def is_by_name(self) -> bool:
        """Whether the host has to be resolved."""
        try:
            ip_address(self.host)
        except ValueError:
            return True
        return False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _normal(host: str) -> str:
    """The one way to write it, so that the same endpoint is known again: names have no case (RFC 4343), and
    an IPv6 address has a shortest form (RFC 5952)."""
    if not host.startswith("["):
        return host.lower()
    address = IPv6Address(host[1:-1])
    return f"::ffff:{address.ipv4_mapped}" if address.ipv4_mapped else str(address)


def _is_host(text: str) -> bool:
    """What ends in a number is an IP address or a mistake, never a name (URL Standard, host parsing)."""
    try:
        if text.startswith("["):
            IPv6Address(text[1:-1])
        elif _ENDS_IN_A_NUMBER.fullmatch(text):
            IPv4Address(text)
        else:
            return _NAME.fullmatch(text) is not None
    except AddressValueError:
        return False
    return True
