"""What `migrations lint` does, and how a person sees it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
from rich.cells import cell_len
from rich.console import RenderableType
from rich.text import Text

from bluegreen.admin.cli.exit_code import ExitCode
from bluegreen.admin.cli.fitting import Indented, OneLine
from bluegreen.admin.cli.output import console, printable, show
from bluegreen.migrations.lint.code_hosts import github, gitlab, sarif
from bluegreen.migrations.lint.linter import Linter, LintReport
from bluegreen.migrations.lint.squawk import Squawk
from bluegreen.migrations.migration_file import MAXIMUM_SIZE
from bluegreen.model.migration import LintFinding
from bluegreen.subprocesses.command import CommandRunner

_SHOWN_WIDTH, _LEAST_WIDTH = 100, 40
"""Characters of the line that a finding is about: at most, and also on a terminal that is narrower."""


def lint(directory: Path, form: str, options: dict[str, Any]) -> ExitCode:
    report = asyncio.run(_lint(_near(directory), **options))
    findings = tuple(
        replace(each, file=each.file.encode(errors="replace").decode()) for each in report.findings
    )
    match form:
        case "github":
            click.echo("\n".join(filter(None, [github(findings), _summary(report)])))
        case "gitlab":
            click.echo(gitlab(findings))
        case "sarif":
            click.echo(sarif(findings))
        case "json":
            click.echo(json.dumps({"findings": [asdict(each) for each in findings]}, indent=2))
        case _:
            lines = _Lines()
            show(*(part for each in findings for part in _view(each, lines)), _summary(report))
    if any(each.refused for each in findings):
        return ExitCode.FAILED
    # In CI that is most likely a directory beside the one that was meant.
    return ExitCode.USAGE if report.is_empty else ExitCode.DONE


async def _lint(directory: Path, pg_version: str, first: int) -> LintReport:
    return await Linter(Squawk(CommandRunner())).lint_directory(directory, pg_version, first)


def _near(directory: Path) -> Path:
    """Relative to the current directory, where it lies within."""
    relative = os.path.relpath(directory) if "\0" not in str(directory) else str(directory)
    return directory if relative.startswith("..") else Path(relative)


def _summary(report: LintReport) -> str:
    refused = sum(each.refused for each in report.findings)
    told = len(report.findings) - refused
    files = f"{report.files} file" if report.files == 1 else f"{report.files} files"
    match report.files, refused, told:
        case 0, 0, 0 if report.is_empty:
            return "There are no migrations: no file is named NUMBER_NAME.PHASE.sql."
        case 0, 0, 0:
            return "There are no migrations from that number on."
        case _, 0, 0:
            return f"{files}: nothing is wrong."
        case _, 0, _:
            return f"{files}: nothing would be refused, {told} told."
        case _:
            findings = "1 finding" if refused == 1 else f"{refused} findings"
            return f"{files}: {findings} would be refused" + (f", {told} told." if told else ".")


def _view(finding: LintFinding, lines: _Lines) -> Iterator[RenderableType]:
    style = "bold red" if finding.refused else "yellow"
    head = Text(f"{printable(finding.file)}:{finding.line}:{finding.column}: ", "bold")
    head.append("refused" if finding.refused else "told", style)
    yield head.append(f"  {finding.rule}")
    line = lines.read(finding.file, finding.line)
    if line.strip():
        yield from _extract(line, finding, style)
    yield Indented(Text(f"  {printable(finding.reason)}"))
    if finding.safe_way:
        yield Indented(Text(f"  Safe way: {printable(finding.safe_way)}", "green"))
    yield Text()


def _extract(line: str, finding: LintFinding, style: str) -> Iterator[RenderableType]:
    """The line, and a mark under the character that the finding begins with."""
    margin = f"  {' ' * len(str(finding.line))} | "
    width = max(_LEAST_WIDTH, min(_SHOWN_WIDTH, console().width - len(margin)))
    at = min(finding.column - 1, len(line))
    start = max(0, at - width // 2) if at > width - 20 else 0
    shown = printable(line[start : start + width])
    yield OneLine(Text(f"  {finding.line} | {shown}"))
    yield OneLine(Text(f"{margin}{' ' * cell_len(shown[: at - start])}").append("^", style))


class _Lines:
    """The lines of the files that findings are about."""

    def __init__(self) -> None:
        self._file, self._lines = "", [""]

    def read(self, file: str, line: int) -> str:
        """Empty where there is none, or the file cannot be read: that is what the finding is about."""
        if file != self._file:
            self._file, self._lines = file, _read(Path(file))
        return self._lines[line - 1].rstrip("\r") if line <= len(self._lines) else ""


def _read(file: Path) -> list[str]:
    try:
        if not file.is_file():
            return []
        with file.open("rb") as opened:
            return opened.read(MAXIMUM_SIZE).decode(errors="replace").split("\n")
    except OSError:
        return []
