"""The errors of the package.

XdsError
├── InconsistentSnapshot   the publisher's fault: nothing was changed
└── Refused                the client's fault, or too early: its stream ends with a status
    ├── NotReady           the state is not loaded yet, or nothing was published for the group
    ├── UnknownGroup       the node belongs to no group
    └── BadRequest         malformed, oversized or of a type that is not served
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import grpc


class XdsError(Exception):
    """Any error of this package."""


class InconsistentSnapshot(XdsError):
    """A snapshot or change was refused as a whole; ``faults`` has one sentence for each thing wrong."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


class Refused(XdsError):
    """The stream ends with ``status`` and the message as its details."""

    status: ClassVar[grpc.StatusCode] = grpc.StatusCode.UNKNOWN


class NotReady(Refused):
    """Row READY: an answer now would wipe the proxy; it comes again by itself."""

    status = grpc.StatusCode.UNAVAILABLE


class UnknownGroup(Refused):
    """No snapshot is meant for this node."""

    status = grpc.StatusCode.FAILED_PRECONDITION


class BadRequest(Refused):
    """Row BADREQ."""

    status = grpc.StatusCode.INVALID_ARGUMENT
