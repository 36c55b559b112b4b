"""What a version has to answer before it may take traffic: smoke and integration tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bluegreen.model.secret import Secret


@dataclass(frozen=True, slots=True)
class HttpExpectation:
    """What an answer must be; None: whatever it is."""

    status: tuple[int, ...] = (200,)
    body: str | None = None  # is contained in the answer's body
    # JSON pointers (RFC 6901) into the answer, with the value that must be there, itself JSON.
    json: Mapping[str, str] = field(default_factory=dict)
    max_latency: float | None = None  # seconds until the whole answer is there


@dataclass(frozen=True, slots=True)
class HttpTest:
    """One request through the preview listener of each gateway; each of `repeat` must be answered right."""

    name: str
    method: str = "GET"
    path: str = "/"
    headers: Mapping[str, Secret] = field(default_factory=dict)
    body: str | None = None
    expect: HttpExpectation = field(default_factory=HttpExpectation)
    repeat: int = 1
    retries: int = 0  # further tries of a request that was not answered right
    timeout: float = 10.0  # seconds for one request
    type: Literal["http"] = "http"


@dataclass(frozen=True, slots=True)
class GrpcTest:
    """The gRPC health protocol, through the preview listener. `service` empty: the whole server."""

    name: str
    service: str = ""
    repeat: int = 1
    retries: int = 0
    timeout: float = 10.0
    type: Literal["grpc"] = "grpc"


@dataclass(frozen=True, slots=True)
class CommandTest:
    """A program that exits with 0 where all is well. Where to look is in its environment: see
    `bluegreen.model.checker.Target`."""

    name: str
    command: tuple[str, ...]
    retries: int = 0
    timeout: float = 300.0
    type: Literal["command"] = "command"


AcceptanceTest = HttpTest | GrpcTest | CommandTest
