"""`migrations lint`: needs no control plane and no database. What it does stands in `lint_view`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from bluegreen.admin.cli.lazy import run

FORMATS = ("text", "github", "gitlab", "json", "sarif")


def _pg_version(context: click.Context, parameter: click.Parameter, value: str) -> str:
    if value and not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,2}){0,2}", value, re.ASCII):
        raise click.BadParameter(f"{value!r} is no version of PostgreSQL, as 17 or 18.1 is.")
    return value


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="For a person, or for what shows it beside the line: workflow commands of GitHub Actions, a Code "
    "Quality report of GitLab, SARIF 2.1.0.  [default: text]",
)
@click.option(
    "-o",
    "--output",
    envvar="BLUEGREEN_OUTPUT",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="json: as --format json.",
)
@click.option(
    "--pg-version",
    default="",
    metavar="VERSION",
    callback=_pg_version,
    help="Of the server, such as 18: what blocks depends on it.",
)
@click.option(
    "--from",
    "first",
    type=click.IntRange(min=1),
    default=1,
    metavar="NUMBER",
    help="Leave out what has a number before this one: it is applied, and cannot be changed.",
)
def lint(directory: Path, form: str | None, output: str, **options: Any) -> None:
    """Check the files of a DIRECTORY; no database needed.

    Told is what would break the running version or block it, phase by phase. Made for CI too: paths are
    relative to the current directory, which for a code host is to be the repository's. Ends with 0 where no
    phase would be refused, with 2 where DIRECTORY holds no migrations, else with 1.
    """
    run(
        "bluegreen.admin.cli.lint_view:lint",
        directory,
        form or {"table": "text"}.get(output, output),
        options,
    )
