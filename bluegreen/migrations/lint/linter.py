"""What files of migrations must not do, all taken together: Squawk's findings and our own, by phase."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from pathlib import Path, PurePath

from bluegreen.migrations.lint.directory import contracts_alone, told_once
from bluegreen.migrations.lint.hearing import heard
from bluegreen.migrations.lint.judgement import Seen, judge
from bluegreen.migrations.lint.new_things import NOTHING_NEW
from bluegreen.migrations.lint.squawk import Squawk, SquawkFailed
from bluegreen.migrations.migration_directory import MigrationDirectory, look_into
from bluegreen.migrations.migration_file import MigrationFile, parse_name
from bluegreen.model.migration import LintFinding


@dataclass(frozen=True, slots=True)
class LintReport:
    """How many files could be read, and what is wrong, in the order of file and line. `is_empty`: there is
    none in the directory, whatever its number."""

    files: int
    findings: tuple[LintFinding, ...]
    is_empty: bool = False


class Linter:
    """Holds no state: one is enough for any number of directories at once."""

    def __init__(self, squawk: Squawk) -> None:
        self._squawk = squawk

    async def lint_directory(self, path: Path, pg_version: str = "", first: int = 1) -> LintReport:
        """Everything that is wrong with a directory and its files, those with a number before the `first`
        left out. Raises InvalidInput where there is no such directory, and NoSquawk."""
        whole = await asyncio.to_thread(look_into, path)
        directory = _from(first, whole)
        findings = told_once(await self.lint(directory.files, pg_version), directory.unusable)
        everything = [*directory.findings, *findings, *contracts_alone(directory.files)]
        everything.sort(key=lambda each: (each.file, each.line, each.column))
        return LintReport(len(directory.files), tuple(everything), is_empty=not whole.files)

    async def lint(self, files: Iterable[MigrationFile], pg_version: str = "") -> tuple[LintFinding, ...]:
        """What is wrong with the statements of files that could be read. The files that are applied in one
        release are given together: what one adds another may restrict. `pg_version` as in `18` or `18.1`;
        empty: not known. Raises NoSquawk."""
        seen = [await self._look(file, pg_version) for file in files]
        new = reduce(or_, (each.new for each in seen), NOTHING_NEW)
        return tuple([finding for each in seen for finding in await asyncio.to_thread(judge, each, new)])

    async def _look(self, file: MigrationFile, pg_version: str) -> Seen:
        text = await asyncio.to_thread(heard, file)
        try:
            findings = await self._squawk.look_through(
                text, pg_version=pg_version, in_transaction=not file.runs_alone
            )
        except SquawkFailed as error:
            return Seen(file, (), str(error))
        return Seen(file, tuple(findings))


def _from(first: int, directory: MigrationDirectory) -> MigrationDirectory:
    files = tuple(file for file in directory.files if file.migration.number >= first)
    findings = (
        each
        for each in directory.findings
        if (name := parse_name(PurePath(each.file).name)) is None or name.number >= first
    )
    return MigrationDirectory(files, tuple(findings))
