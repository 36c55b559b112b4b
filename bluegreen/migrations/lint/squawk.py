"""Squawk, the linter of PostgreSQL migrations, as a program: https://squawkhq.com/docs/cli

What it is told is on its command line only: a `.squawk.toml` that lies about is not read, and comments that
would silence it are not heard by it (they are by us: see `ignores`).
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import itertools
import json
import os
import re
import shutil
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bluegreen.migrations.lint.rule import Weight
from bluegreen.migrations.lint.squawk_rules import ADDS_COLUMN, SQUAWK_RULES
from bluegreen.model.errors import BluegreenError
from bluegreen.subprocesses.command import CannotStart, Command, CommandRunner, Ended, Question
from bluegreen.subprocesses.inherited import inherited_environment

TIMEOUT = 30.0
"""Seconds for one file. It takes milliseconds."""

ANSWER_LIMIT = 32 * 1024 * 1024
"""Bytes of what it says of one file."""

_PACKAGE, _PROGRAM = "squawk-cli", "squawk"
_SILENCER = re.compile("squawk-(?=ignore)", re.IGNORECASE)
_EVERYWHERE_PASSED = {
    rule.name for rule in SQUAWK_RULES if {rule.expand, rule.contract} == {Weight.PASSED}
} - {ADDS_COLUMN}
_EXCLUDED = ",".join(sorted(_EVERYWHERE_PASSED))
_INCLUDED = ",".join(sorted({rule.name for rule in SQUAWK_RULES} - _EVERYWHERE_PASSED))


class NoSquawk(BluegreenError):
    """It is not installed, or not one that we know."""


class SquawkFailed(Exception):
    """It did not look through a text; the message says why, without a full stop."""


@dataclass(frozen=True, slots=True)
class SquawkFinding:
    """`offset` and `end` count characters from the beginning of the text."""

    rule: str
    message: str
    offset: int
    end: int


class Squawk:
    """`program`: where it is; the one that came with us, where none is given."""

    def __init__(self, runner: CommandRunner, program: Path | None = None) -> None:
        self._runner = runner
        self._program = program

    async def look_through(
        self, text: str, *, pg_version: str = "", in_transaction: bool = True
    ) -> list[SquawkFinding]:
        """All that it finds, in the order of the text. Raises NoSquawk and SquawkFailed."""
        if self._program is None:
            self._program = find_squawk()
        arguments = [str(self._program), "--reporter", "json", "--config", os.devnull]
        arguments += ["--include", _INCLUDED, "--exclude", _EXCLUDED, "--stdin-filepath", "stdin.sql"]
        arguments += ["--assume-in-transaction"] * in_transaction
        arguments += ["--pg-version", pg_version] if pg_version else []
        heard = _SILENCER.sub("squawk_", text)
        question = Question(heard.encode(), ANSWER_LIMIT)
        try:
            ended = await self._runner.run(
                Command(tuple(arguments), inherited_environment({}), TIMEOUT, question)
            )
        except CannotStart as error:
            raise NoSquawk(f"Squawk cannot be run: {error}. {_INSTALL}") from error
        return await asyncio.to_thread(_sorted_findings, ended, text)


_INSTALL = f"It comes with the package {_PACKAGE}."


def find_squawk() -> Path:
    """The program of the package that is installed beside us, or one on the PATH. Raises NoSquawk."""
    for program in _places():
        if program.is_file() and os.access(program, os.X_OK):
            return program
    raise NoSquawk(f"The linter Squawk is not installed. {_INSTALL}")


def _places() -> Iterator[Path]:
    try:
        files = importlib.metadata.files(_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.stem == _PROGRAM:
            yield Path(os.path.abspath(file.locate()))
    yield Path(sysconfig.get_path("scripts"), _PROGRAM)
    if on_path := shutil.which(_PROGRAM):
        yield Path(on_path)


def _sorted_findings(ended: Ended, text: str) -> list[SquawkFinding]:
    return sorted(_findings(ended, text), key=lambda finding: finding.offset)


def _findings(ended: Ended, text: str) -> Iterator[SquawkFinding]:
    match ended:
        case Ended(status=None):
            raise SquawkFailed(f"it took longer than {TIMEOUT:.0f} s")
        case Ended(answer=None):
            raise SquawkFailed(f"it said more than {ANSWER_LIMIT:,} bytes")
        case Ended(status=2, output=output):  # it does not understand our command line
            raise NoSquawk(f"This Squawk is not one that we know: {' '.join(output.split())[:300]}")
        case Ended(status=0 | 1, answer=bytes(answer)):
            yield from _parse(answer, text)
        case _:
            raise SquawkFailed(f"it ended with status {ended.status}")


def _parse(answer: bytes, text: str) -> Iterator[SquawkFinding]:
    places = _Places(text)
    try:
        for entry in json.loads(answer):
            yield _finding(entry, places)
    except (ValueError, KeyError, TypeError) as error:
        raise SquawkFailed("what it said is not understood") from error


def _finding(entry: dict[str, Any], places: _Places) -> SquawkFinding:
    offset = places.offset(int(entry["line"]), int(entry["column"]))
    end = places.offset(int(entry["line_end"]), int(entry["column_end"]))
    return SquawkFinding(str(entry["rule_name"]), str(entry["message"]), offset, end)


class _Places:
    """Squawk counts lines and columns from 0, columns in bytes of UTF-8."""

    def __init__(self, text: str) -> None:
        content = text.encode()
        self._lines = [0, *(found.end() for found in re.finditer(b"\n", content))]
        self._size = len(content)
        self._characters: list[int] | None = None
        if len(content) != len(text):
            begins = (byte & 0xC0 != 0x80 for byte in content)
            self._characters = list(itertools.accumulate(begins, initial=0))

    def offset(self, line: int, column: int) -> int:
        at = min(self._lines[min(line, len(self._lines) - 1)] + column, self._size)
        return at if self._characters is None else self._characters[at]
