"""The world beside the proxies: who is asked for verdicts, provides instances, and changes databases."""

from __future__ import annotations

from dataclasses import dataclass

from bluegreen.model.checker import Checker
from bluegreen.model.migration import Migrator
from bluegreen.model.pool import Provisioner


@dataclass(frozen=True, slots=True)
class Outside:
    """What a controller is given to reach it."""

    checker: Checker
    provisioner: Provisioner
    migrator: Migrator
