"""A mistake in the service file, with its place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from bluegreen.model.errors import InvalidInput

Path = tuple[str | int, ...]
"""Keys and list indices from the top of the file down to a value."""

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """`line` counts from 1; 0 means the whole file. `path` is such as services.shop.routes[0].timeout."""

    line: int
    path: str
    message: str

    def __str__(self) -> str:
        return ": ".join(filter(None, [f"line {self.line}" if self.line else "", self.path, self.message]))


class BadServiceFile(InvalidInput):
    """The service file has mistakes: all that could be found, in the order of their lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


def render(path: Path) -> str:
    """A path as people write it; a key that is no plain word stands in brackets and quotes."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{quote(part)}]"
    return text


def quote(value: object) -> str:
    """A value of the file as a message may show it: short, and without control characters."""
    text = json.dumps(value) if isinstance(value, str | int | float | bool | None) else _kind(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _kind(value: object) -> str:
    return "a list" if isinstance(value, list) else "a mapping"
