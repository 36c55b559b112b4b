"""What load to make: how much, through which targets, of which mix."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from bluegreen.app.demo.exchange import Request
from bluegreen.app.demo.person import name_of
from bluegreen.app.demo.roster import PersonAsked

POST_EVERY = 4
GOLDEN_RATIO = 0.6180339887498949
PADDING = b"." * 1024

NEW_EVERY = 8
"""One write in so many is of a person that was not there before."""

STRIDE = 7919  # a prime: writes go through all people, each once, in no order
RECENT = 10
"""A read of what was written so many writes ago."""


class Protocol(StrEnum):
    """What to speak to a target; HTTP/2 without TLS, by prior knowledge."""

    HTTP1 = "http1"
    HTTP2 = "http2"


@dataclass(frozen=True, slots=True)
class Target:
    """One entry to send requests through."""

    host: str
    port: int

    @property
    def name(self) -> str:
        """HOST:PORT, under which reports count it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, url: str) -> Target:
        """From `http://HOST:PORT`. Raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or not parts.port or parts.path not in {"", "/"}:
            raise ValueError(f"{url!r} is not of the form http://HOST:PORT")
        return cls(parts.hostname, parts.port)


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """`rate` requests/s over all targets together, for `duration` seconds (None: until told to stop).

    `slow_share` of the requests ask for an answer that takes `slow_seconds`; of the others, one in four is a
    POST. With `people` in the database, every second of the others reads or writes one of them. A request
    without a whole answer after `timeout` seconds has failed. A report comes every `interval` seconds.
    """

    targets: tuple[Target, ...]
    rate: float = 400.0
    duration: float | None = None
    authority: str | None = None
    protocols: Sequence[Protocol] = (Protocol.HTTP1, Protocol.HTTP2)
    slow_share: float = 0.02
    slow_seconds: float = 1.0
    timeout: float = 10.0
    interval: float = 0.25
    http2_connections: int = 2
    people: int = 0

    def __post_init__(self) -> None:
        positive = (self.rate, self.timeout, self.interval, self.duration or 1.0, self.http2_connections)
        if not self.targets or not self.protocols or min(positive) <= 0:
            raise ValueError("a load needs a target, a protocol, and all its figures above 0")
        hopeless = self.slow_share > 0 and self.slow_seconds >= self.timeout
        if not 0 <= self.slow_share <= 1 or self.slow_seconds < 0 or hopeless:
            raise ValueError("slow requests: a share of 0 to 1, and less time than the timeout")

    @property
    def lanes(self) -> int:
        """Ways to go: each target by each protocol."""
        return len(self.targets) * len(self.protocols)


@dataclass(frozen=True, slots=True)
class Shot:
    """One request of the load, and how it goes."""

    target: Target
    protocol: Protocol
    request: Request
    seconds: float  # how long the answer was asked to take
    person: PersonAsked | None = None


def shot(plan: LoadPlan, number: int) -> Shot:
    """The request of that number. Targets, protocols and methods turn like digits: all combinations occur."""
    turn, lane = divmod(number, plan.lanes)
    protocol_digit, target_digit = divmod(lane, len(plan.targets))
    target, protocol = plan.targets[target_digit], plan.protocols[protocol_digit]
    authority = plan.authority or target.name
    # Multiples of the golden ratio fill 0 to 1 evenly, out of step with the digits.
    if (number * GOLDEN_RATIO) % 1 < plan.slow_share:
        path = f"/slow?seconds={plan.slow_seconds:g}&request={number}"
        return Shot(target, protocol, Request(number, "GET", authority, path), plan.slow_seconds)
    if plan.people:
        turn, is_about_one = divmod(turn, 2)
        if is_about_one:
            asked = _asked(plan, number, turn)
            return Shot(target, protocol, _about(asked, number, authority), 0.0, asked)
    body = b"%d" % number + PADDING if turn % POST_EVERY == POST_EVERY - 1 else b""
    request = Request(number, "POST" if body else "GET", authority, f"/?request={number}", body)
    return Shot(target, protocol, request, 0.0)


def _asked(plan: LoadPlan, number: int, turn: int) -> PersonAsked:
    """Of four requests one writes, one reads what was written shortly before, and two read anybody."""
    turn, digit = divmod(turn, POST_EVERY)
    write = turn * plan.lanes + number % plan.lanes  # no two are about the same person at the same time
    if digit == POST_EVERY - 1:
        person = _written(plan, write)
        return PersonAsked(person, name_of(person, number))
    if digit == 0 and write >= RECENT:
        return PersonAsked(_written(plan, write - RECENT))
    return PersonAsked(1 + int((number * GOLDEN_RATIO) % 1 * plan.people))


def _about(asked: PersonAsked, number: int, authority: str) -> Request:
    body = b"" if asked.name is None else json.dumps({"name": asked.name}).encode()
    path = f"/people/{asked.person}?request={number}"
    return Request(number, "POST" if body else "GET", authority, path, body)


def _written(plan: LoadPlan, write: int) -> int:
    """The person that the write of that number is about."""
    if write % NEW_EVERY == NEW_EVERY - 1:
        return plan.people + 1 + write // NEW_EVERY
    return 1 + write * STRIDE % plan.people
