"""What is wrong with a file of migrations, before it is known how that is shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from bluegreen.migrations.statements import LineIndex
from bluegreen.model.errors import InvalidInput
from bluegreen.model.migration import LintFinding


@dataclass(frozen=True, slots=True)
class Problem:
    """`offset` counts characters from the beginning of the file. The texts are whole sentences."""

    rule: str
    reason: str
    safe_way: str = ""
    offset: int = 0
    refused: bool = True

    def of(self, file: str, text: str = "") -> LintFinding:
        """The finding, in the file of this name and text."""
        line, column = LineIndex(text).place(self.offset)
        return LintFinding(file, line, column, self.rule, self.reason, self.safe_way, self.refused)


class MigrationProblem(InvalidInput):
    """A directory of migrations cannot be used: `findings` are all the reasons that were found."""

    def __init__(self, findings: Iterable[LintFinding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(sentence(finding) for finding in self.findings))


def sentence(finding: LintFinding) -> str:
    """`0002_split_name.expand.sql:3: The running version may ... Do it in ...`."""
    return f"{PurePath(finding.file).name}:{finding.line}: {finding.reason} {finding.safe_way}".rstrip()
