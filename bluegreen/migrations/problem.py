"""What is wrong with a file of migrations, before it is known how that is shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from bluegreen.migrations.statements import LineIndex
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


def sentence(finding: LintFinding) -> str:
    """`0002_split_name.expand.sql:3: The running version may ... Do it in ...`."""
    return f"{PurePath(finding.file).name}:{finding.line}: {finding.reason} {finding.safe_way}".rstrip()
