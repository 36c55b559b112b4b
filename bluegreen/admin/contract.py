"""What both ends of the API must agree on, besides the messages."""

from __future__ import annotations

from enum import StrEnum

NAME = r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?"
"""A gateway or a service: what DNS takes for a label, a letter first."""

MAX_DOCUMENT = 4 * 1024 * 1024
"""Bytes of a service file."""

ERROR_KEY = "bluegreen-error"
"""Trailing metadata: the ErrorKind. Where it is missing, it was not the control plane that answered."""


class ErrorKind(StrEnum):
    """What kind of error a call ended with; see `bluegreen.model.errors`."""

    INVALID_INPUT = "invalid-input"
    UNKNOWN_NAME = "unknown-name"
    REFUSED = "refused"
    CONFLICT = "conflict"
    NOT_SERVING = "not-serving"
    INTERNAL = "internal"
