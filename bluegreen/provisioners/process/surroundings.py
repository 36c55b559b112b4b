"""What all keepers share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bluegreen.provisioners.process.remains import Remains
from bluegreen.provisioners.process.state_directory import StateDirectory


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`inherited` is the environment that every process gets of ours."""

    directory: StateDirectory
    inherited: Mapping[str, str]
    notify: list[Callable[[tuple[str, int]], None]] = field(default_factory=list)
    remains: Remains = field(default_factory=Remains)

    def changed(self, key: tuple[str, int]) -> None:
        """Tell of a pool whose instances are not as they were."""
        for notify in self.notify:
            notify(key)
