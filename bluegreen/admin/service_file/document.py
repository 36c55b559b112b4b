"""YAML text -> plain values, with the line of each.

A subset of YAML 1.2, so that a file means what it seems to mean: only true and false are truth values, and
there are no aliases, tags or second documents. What a hostile file could make large is bounded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from bluegreen.admin.contract import MAX_DOCUMENT
from bluegreen.admin.service_file.problem import BadServiceFile, Path, Problem, render

MAX_DEPTH = 20
MAX_VALUES = 200_000

# libyaml's parser where PyYAML was built with it: it tokenizes about ten times faster.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+\.?[0-9]*)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_CONSTANTS = {
    **dict.fromkeys(["", "~", "null", "Null", "NULL"], None),
    **dict.fromkeys(["true", "True", "TRUE"], True),
    **dict.fromkeys(["false", "False", "FALSE"], False),
}


@dataclass(frozen=True, slots=True)
class Document:
    """`values` is made of dict, list, str, int, float, bool and None; `problems` are those of the form."""

    values: Any
    lines: Mapping[Path, int]
    problems: tuple[Problem, ...]

    def line(self, path: Path) -> int:
        """The line of a value, or of the nearest one above it; from 1."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 0)


def parse(text: str) -> Document:
    """Raises BadServiceFile where the text is no YAML at all, or too large."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise BadServiceFile([_not_yaml(text, error.start)]) from None
    if size > MAX_DOCUMENT:
        raise BadServiceFile([Problem(0, "", f"The file is larger than {MAX_DOCUMENT // 2**20} MiB.")])
    composer = _Composer(text)
    try:
        return composer.document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        syntax = Problem(mark.line + 1 if mark else 0, "", _sentence(error.problem or error.context))
    except yaml.reader.ReaderError as error:
        syntax = _not_yaml(text, error.position)
    raise BadServiceFile([*composer.problems, syntax])


def _not_yaml(text: str, position: int) -> Problem:
    line = text.count("\n", 0, position) + 1
    return Problem(line, "", "This is no YAML: it holds a character that YAML does not allow.")


def _sentence(problem: str | None) -> str:
    return f"This is no YAML: {problem or 'the text cannot be read'}."


class _Composer:
    """Builds the values from the parser's events, which come one by one: nesting is checked on the way."""

    def __init__(self, text: str) -> None:
        self.problems: list[Problem] = []
        self._lines: dict[Path, int] = {}
        self._count = 0
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)

    def document(self) -> Document:
        values = None
        for number, event in enumerate(self._starts()):
            if number:
                self._complain(event, (), "A second document begins here; write one file for each.")
                break
            values = self._value(next(self._events), ())
        return Document(values, self._lines, tuple(self.problems))

    def _starts(self) -> Iterator[yaml.Event]:
        return (event for event in self._events if isinstance(event, yaml.DocumentStartEvent))

    def _value(self, event: yaml.Event, path: Path) -> Any:
        self._lines.setdefault(path, _line(event))
        self._count += 1
        if self._count > MAX_VALUES or len(path) > MAX_DEPTH:
            what = f"nested more than {MAX_DEPTH} deep" if len(path) > MAX_DEPTH else "too long"
            self._complain(event, path[:3], f"The file is {what}.")
            raise BadServiceFile(self.problems)
        if getattr(event, "anchor", None) is not None:
            self._complain(event, path, "Anchors and aliases (& and *) are not read: write the value out.")
        elif getattr(event, "tag", None) not in (None, "!"):
            self._complain(event, path, "Tags (!) are not read.")
        match event:
            case yaml.ScalarEvent():
                return _plain(event.value) if event.implicit[0] else event.value
            case yaml.SequenceStartEvent():
                return [self._value(each, (*path, index)) for index, each in enumerate(self._until_end())]
            case yaml.MappingStartEvent():
                return self._mapping(path)
            case _:  # an alias, complained of above
                return None

    def _mapping(self, path: Path) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for event in self._until_end():
            if not isinstance(event, yaml.ScalarEvent):
                self._complain(event, path, "A key must be a word.")
                self._value(event, path)
                self._value(next(self._events), path)
                continue
            here = (*path, str(event.value))
            if event.value in mapping:
                self._complain(event, here, f"This key stands in line {self._lines[here]} already.")
            self._lines.setdefault(here, _line(event))
            mapping.setdefault(event.value, self._value(next(self._events), here))
        return mapping

    def _until_end(self) -> Iterator[yaml.Event]:
        for event in self._events:
            if isinstance(event, yaml.CollectionEndEvent):
                return
            yield event

    def _complain(self, event: yaml.Event, path: Path, message: str) -> None:
        self.problems.append(Problem(_line(event), render(path), message))


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _plain(text: str) -> object:
    """The value of a word without quotes, as YAML 1.2's core schema has it, less its octal and hex."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text
