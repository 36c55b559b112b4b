"""Durations as people write them: 150ms, 15s, 30m, 1h, 2d."""

from __future__ import annotations

import math
import re

from bluegreen.model.errors import InvalidInput

LONGEST = 366 * 86400.0  # seconds

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_MILLISECONDS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_DURATION = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)(ms|s|m|h|d)?", re.ASCII)


def parse_duration(text: str) -> float:
    """Seconds; a number without a unit is seconds. Raises InvalidInput."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise InvalidInput(f"{text[:40]!r} is no duration: write one such as 150ms, 15s, 30m, 1h or 2d.")
    seconds = float(match[1]) * _UNITS[match[2] or "s"]
    if seconds > LONGEST:
        raise InvalidInput(f"{text!r} is longer than {format_duration(LONGEST)}.")
    return seconds


def format_duration(seconds: float) -> str:
    """The shortest exact form, such as 30m for 1800.0; `parse_duration` reads it back."""
    milliseconds = round(seconds * 1000)
    if not math.isclose(milliseconds, seconds * 1000, abs_tol=1e-6):
        return f"{seconds:.9f}".rstrip("0") + "s"
    if milliseconds == 0:
        return "0s"
    unit = next(unit for unit, size in _MILLISECONDS.items() if milliseconds % size == 0)
    return f"{milliseconds // _MILLISECONDS[unit]}{unit}"
