"""A contradiction within a catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """`where` leads to the mistake through the service file; `path` is the same as people write it."""

    where: tuple[str | int, ...]
    message: str

    @property
    def path(self) -> str:
        parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.where)
        return "".join(parts).removeprefix(".")


def repeated(values: Iterable[object]) -> Iterator[tuple[int, int]]:
    """Each value that stood before: its index, and that of the first one."""
    first: dict[object, int] = {}
    for index, value in enumerate(values):
        if first.setdefault(value, index) != index:
            yield index, first[value]
