"""What `bluegreen serve` can be told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bluegreen.model.endpoint import Endpoint

XDS = Endpoint("127.0.0.1", 18000)
ADMIN = Endpoint("127.0.0.1", 18001)
HTTP = Endpoint("127.0.0.1", 18002)
DAY = 86400.0  # seconds


@dataclass(frozen=True, slots=True)
class Settings:
    """Each is a flag of `serve` (xds: --xds-listen), an environment variable and a key of the settings file.

    The addresses are where to listen: on the loopback interface unless told otherwise, since neither the
    proxies' nor the operators' side asks who is calling. Port 0 takes one that is free.
    """

    xds: Endpoint = XDS
    admin: Endpoint = ADMIN
    http: Endpoint = HTTP
    database: Path = Path("bluegreen.db")
    # Applied at every start, as by `apply -f`, before anything is served.
    service_file: Path | None = None
    event_retention: float = 90 * DAY  # seconds
    log_level: str = "info"
    log_format: str = "text"  # or json


def processes_of(database: Path) -> Path:
    """Where the control plane with this database keeps what it knows of the processes that it runs."""
    return database.with_name(f"{database.name}.processes")
