"""One request and its answer, and what makes the answer whole and right."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum

from bluegreen.app.demo.faults import FAULT_HEADER, FAULT_STATUS


class Failure(StrEnum):
    """How a request may fail. A status other than 200 is told with its number: `status 503`."""

    CONNECT = "connect"  # no connection to send it on
    CLOSED = "closed"  # the connection ended before any of the answer
    RESET = "reset"  # the connection or the HTTP/2 stream was reset
    REFUSED = "refused"  # HTTP/2: REFUSED_STREAM, or beyond the last stream of a GOAWAY
    TRUNCATED = "truncated"  # the connection ended in the middle of the answer
    TIMEOUT = "timeout"  # no whole answer in time
    PROTOCOL = "protocol"  # what came is not HTTP
    STATUS = "status"  # whole, but not 200
    NO_VERSION = "no version"  # 200 without x-version
    WRONG_BODY = "wrong body"  # 200, but not the answer to what was sent
    WRONG_PERSON = "wrong person"  # 200, but not the name that the person has


class RequestFailed(Exception):
    """The request has no whole, right answer; `kind` counts it, the message explains it."""

    def __init__(self, failure: Failure, detail: str, kind: str = "") -> None:
        super().__init__(detail)
        self.kind = kind or failure.value


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. `number` comes back in the answer's body."""

    number: int
    method: str
    authority: str
    path: str
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole as far as HTTP can tell. Header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def fault_of(answer: Answer) -> str:
    """The version that says it damaged this answer on purpose; empty: none does, and what is wrong with it is
    a failure like any other."""
    mark = answer.headers.get(FAULT_HEADER, "")
    return mark if mark == answer.headers.get("x-version") and answer.status in (200, FAULT_STATUS) else ""


def version_of(request: Request, answer: Answer) -> str:
    """The version that answered. Raises RequestFailed unless the answer is what the demo application owes."""
    if answer.status != 200:
        begin = answer.body[:100].decode(errors="replace")
        raise RequestFailed(Failure.STATUS, begin, f"{Failure.STATUS} {answer.status}")
    version = answer.headers.get("x-version")
    if not version:
        raise RequestFailed(Failure.NO_VERSION, "200 without x-version")
    try:
        body = json.loads(answer.body)
        told = (body["version"], body["request"], body["length"], body["sha256"])
    except (ValueError, TypeError, KeyError) as error:
        raise RequestFailed(Failure.WRONG_BODY, f"{error!r} in {answer.body[:100]!r}") from error
    owed = (version, str(request.number), len(request.body), hashlib.sha256(request.body).hexdigest())
    if told != owed:
        raise RequestFailed(Failure.WRONG_BODY, f"told {told}, owed {owed}")
    return version
