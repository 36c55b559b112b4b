"""A command that was taken up, and what it was answered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TakenCommand:
    """Recorded in the transaction in which the command took effect, under the key that its sender chose.

    `at` is seconds since the epoch; `deployment` (a revision), `rollout` and `migration` (ids) are what it
    started or changed.
    """

    key: str
    service: str
    at: float
    message: str
    deployment: int | None = None
    rollout: int | None = None
    migration: int | None = None
