"""How the instances of a version come about: what the service file says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bluegreen.model.secret import Secret

FULL = 100
"""Percent."""


@dataclass(frozen=True, slots=True)
class ProcessTemplate:
    """Local processes, one an instance, each on a free port of `host`. `{port}`, `{version}`, `{revision}`,
    `{environment}` and `{instance}` in the command are filled in; the same stand in the environment as PORT,
    BLUEGREEN_VERSION and so on.

    `ready_timeout`: seconds until it must listen; `grace`: seconds from SIGTERM to SIGKILL. One that ends by
    itself is started again after `backoff` seconds, doubled up to `longest_backoff`. Where there is a
    `ready_path`, it is asked for it over HTTP/1.1 every `ready_interval` seconds for as long as it runs, and
    is up while it answers with a status of class 2xx.
    """

    command: tuple[str, ...]
    environment: Mapping[str, Secret] = field(default_factory=dict)
    directory: str | None = None
    host: str = "127.0.0.1"
    ready_timeout: float = 30.0
    grace: float = 30.0
    backoff: float = 1.0
    longest_backoff: float = 30.0
    ready_path: str | None = None
    ready_interval: float = 1.0
    type: Literal["process"] = "process"


@dataclass(frozen=True, slots=True)
class ProvisionerCommand:
    """Any program that is given a verb (up, endpoints, stop), reads one JSON object from standard input and
    writes one to standard output. `interval`: seconds between two askings for the endpoints."""

    command: tuple[str, ...]
    timeout: float = 300.0
    interval: float = 5.0
    type: Literal["command"] = "command"


@dataclass(frozen=True, slots=True)
class EndpointsFile:
    """A file of endpoints that something else writes, watched. `{service}`, `{environment}`, `{version}` and
    `{revision}` in the path are filled in."""

    path: str
    interval: float = 1.0
    type: Literal["file"] = "file"


Source = ProcessTemplate | ProvisionerCommand | EndpointsFile


@dataclass(frozen=True, slots=True)
class Provisioning:
    """`instances` is the full capacity of an environment; `standby_capacity` the percent of it that the old
    version keeps once its warm time is over: 0 retires it."""

    source: Source
    instances: int = 1
    standby_capacity: int = 0
