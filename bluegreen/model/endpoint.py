"""Where one instance of a version listens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bluegreen.model.errors import InvalidInput

# A DNS name or an IPv4 address; an IPv6 address stands in brackets, as in a URL.
_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253}):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """A host (a name or an IP address, IPv6 without brackets) and a TCP port."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """Read `HOST:PORT`; raise InvalidInput where it is none."""
        match = _ADDRESS.fullmatch(text.strip())
        if match is None or not 0 < int(match["port"]) < 65536:
            raise InvalidInput(f"{text!r} is no address: write HOST:PORT, such as 127.0.0.1:8080.")
        return cls(match["host"].strip("[]"), int(match["port"]))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
