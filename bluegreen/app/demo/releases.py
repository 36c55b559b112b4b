"""What a pipeline would have unpacked: a directory for each version of the demo, with its migrations."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from bluegreen.app.demo.people_table import MIGRATIONS

VERSIONS = ("v1", "v2", "v3", "v4", "v5", "v6", "v7")
UNSAFE = "v6"
"""Its expand would break the version that runs."""

SPLITS = "v7"
"""From this one on, a name is first_name and last_name."""


def write_releases(directory: Path) -> str:
    """Write them below the directory; the path of a version's migrations, as the service file has it."""
    for version in VERSIONS:
        migrations = directory / version / "migrations"
        migrations.mkdir(parents=True)
        for each in _migrations_of(version):
            shutil.copyfile(each, migrations / each.name)
    return str(directory / "{version}" / "migrations")


def _migrations_of(version: str) -> Iterator[Path]:
    yield from MIGRATIONS.glob("0001_*.sql")
    if version == UNSAFE:
        yield from (MIGRATIONS / "unsafe").glob("*.sql")
    elif version == SPLITS:
        yield from MIGRATIONS.glob("0002_*.sql")
