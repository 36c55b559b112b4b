"""What is to be said of a directory as a whole. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bluegreen.migrations.lint.form_rules import CONTRACT_ALONE, SYNTAX_ERROR
from bluegreen.migrations.migration_file import MigrationFile
from bluegreen.model.migration import LintFinding, Phase


def contracts_alone(files: Iterable[MigrationFile]) -> Iterator[LintFinding]:
    """A contract of its own number may well be right: what takes the place of a thing may be older."""
    files = tuple(files)
    expanded = {file.migration.number for file in files if file.migration.phase is Phase.EXPAND}
    for file in files:
        if file.migration.phase is Phase.CONTRACT and file.migration.number not in expanded:
            rule = CONTRACT_ALONE
            yield LintFinding(str(file.path), 1, 1, rule.name, rule.reason, rule.safe_way, refused=False)


def told_once(found: Iterable[LintFinding], unusable: Iterable[LintFinding]) -> list[LintFinding]:
    """What the lint has found, without what does not parse where the reading of the file says why."""
    places = {(each.file, each.line) for each in unusable}
    return [each for each in found if each.rule != SYNTAX_ERROR.name or (each.file, each.line) not in places]
