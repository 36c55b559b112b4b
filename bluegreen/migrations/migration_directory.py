"""A version's directory of migrations: everything in it is checked here, before it comes near a database."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path

from bluegreen.migrations.backfill_form import read_header
from bluegreen.migrations.form import problems_of_form
from bluegreen.migrations.migration_file import (
    MAXIMUM_SIZE,
    BackfillHeader,
    MigrationFile,
    order,
    parse_name,
)
from bluegreen.migrations.problem import Problem
from bluegreen.migrations.statements import Statement, split
from bluegreen.model.errors import InvalidInput
from bluegreen.model.migration import LintFinding, MigrationName, Phase

MAXIMUM_ENTRIES = 10_000
"""Files of a directory, of whatever name."""

MAXIMUM_TOTAL = 64 * 1024 * 1024
"""Characters of all migrations of a directory, taken together."""

MAXIMUM_PROBLEMS = 100
"""That are told of one file."""

_BYTE_ORDER_MARK = "\ufeff"
_NAME = "A migration is called 0002_split_name.expand.sql, .backfill.sql or .contract.sql"


@dataclass(frozen=True, slots=True)
class MigrationDirectory:
    """The files that could be read, in the order in which they are applied, and what is wrong with them."""

    files: tuple[MigrationFile, ...]
    findings: tuple[LintFinding, ...]

    @property
    def unusable(self) -> tuple[LintFinding, ...]:
        """Why its files cannot be run: none of them is, as long as there is one of these."""
        return tuple(finding for finding in self.findings if finding.refused)


def look_into(path: Path) -> MigrationDirectory:
    """The migrations of a directory, with everything that is wrong with them as files. Raises InvalidInput
    where there is no such directory."""
    files: list[MigrationFile] = []
    findings: list[LintFinding] = []
    size = 0
    for file in _sql_files(path):
        migration = parse_name(file.name)
        if migration is None:
            findings.append(_bad_name(file))
            continue
        try:
            text, checksum = _read(file)
        except _Unreadable as unreadable:
            findings.append(unreadable.problem.of(str(file), unreadable.before))
            continue
        size += len(text)
        if size > MAXIMUM_TOTAL:
            raise InvalidInput(f"The migrations in {path} have more than {MAXIMUM_TOTAL:,} characters.")
        statements = split(text)
        problems, backfill = _problems(text, statements, migration)
        findings += [problem.of(str(file), text) for problem in problems[:MAXIMUM_PROBLEMS]]
        runs_alone = len(statements) == 1 and statements[0].runs_alone
        files.append(MigrationFile(migration, file, text, checksum, backfill, runs_alone))
    files.sort(key=lambda file: order(file.migration))
    return MigrationDirectory(tuple(files), (*findings, *_numbers_with_two_names(files)))


def _sql_files(path: Path) -> list[Path]:
    try:
        with os.scandir(path) as entries:
            names = [entry.name for entry in islice(entries, MAXIMUM_ENTRIES + 1)]
    except OSError as error:
        raise InvalidInput(f"The migrations directory {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:  # a NUL within
        raise InvalidInput(f"{str(path)!r} is no path: {error}.") from error
    if len(names) > MAXIMUM_ENTRIES:
        raise InvalidInput(f"The directory {path} has more than {MAXIMUM_ENTRIES:,} files: too many.")
    return sorted(path / name for name in names if name.lower().endswith(".sql") and name[0] != ".")


def _read(file: Path) -> tuple[str, str]:
    """The text and its checksum. Raises _Unreadable."""
    try:
        # Not to wait for ever for somebody to write into a named pipe.
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as opened:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _Unreadable("unreadable-file", "It is not a regular file.", "Put the file itself here.")
            content = opened.read(MAXIMUM_SIZE + 1)
    except OSError as error:
        what = "This link" if file.is_symlink() and not file.exists() else "It"
        raise _Unreadable("unreadable-file", f"{what} cannot be read: {error.strerror}.", "") from error
    if len(content) > MAXIMUM_SIZE:
        reason = f"It has more than {MAXIMUM_SIZE:,} bytes."
        raise _Unreadable("file-too-large", reason, "Data does not belong into it.")
    return _decode(content), hashlib.sha256(content).hexdigest()


def _decode(content: bytes) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start].decode()
        raise _Unreadable(
            "not-utf-8", f"This is not UTF-8: {error.reason}.", "Save the file as UTF-8.", before
        ) from error
    if text.startswith(_BYTE_ORDER_MARK):
        raise _Unreadable(
            "not-utf-8", "It begins with a byte order mark.", "Save the file without one (BOM)."
        )
    before, nul, _ = text.partition("\0")
    if nul:
        raise _Unreadable("not-utf-8", "There is a NUL here.", "Take it out.", before)
    return text


class _Unreadable(Exception):
    """`before` is what could be read of the text."""

    def __init__(self, rule: str, reason: str, safe_way: str, before: str = "") -> None:
        self.problem, self.before = Problem(rule, reason, safe_way, len(before)), before


def _problems(
    text: str, statements: tuple[Statement, ...], migration: MigrationName
) -> tuple[list[Problem], BackfillHeader | None]:
    problems = list(problems_of_form(statements, migration.phase))
    if migration.phase is not Phase.BACKFILL:
        return problems, None
    header = read_header(text)
    if isinstance(header, Problem):
        return [header, *problems], None
    return problems, header


def _bad_name(file: Path) -> LintFinding:
    reason = f"{file.name!r} is not the name of a migration."
    safe_way = f"{_NAME}: 4 to 9 digits, then a-z, 0-9, _ and -; other files do not end in .sql."
    return Problem("file-name", reason, safe_way).of(str(file))


def _numbers_with_two_names(files: list[MigrationFile]) -> Iterator[LintFinding]:
    """Files are sorted. Two branches that took the same number look like this when they are merged."""
    for number, group in groupby(files, key=lambda file: file.migration.number):
        same = list(group)
        first = same[0]
        for file in same[1:]:
            if file.migration.name != first.migration.name:
                reason = f"The number {number:04} is that of {first.migration.name!r} already."
                yield Problem("number-taken", reason, "Give the later change the next number.").of(
                    str(file.path)
                )
