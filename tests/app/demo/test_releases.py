"""Each version of the demo brings its migrations along."""

from __future__ import annotations

from pathlib import Path

from bluegreen.app.demo.releases import SPLITS, UNSAFE, VERSIONS, write_releases

SPLIT = [f"0002_split_name.{phase}.sql" for phase in ("backfill", "contract", "expand")]


def test_a_directory_for_each_version(tmp_path: Path) -> None:
    template = write_releases(tmp_path / "releases")
    brought = {
        version: sorted(path.name for path in Path(template.format(version=version)).iterdir())
        for version in VERSIONS
    }
    first = ["0001_people.expand.sql"]
    assert brought.pop(SPLITS) == [*first, *SPLIT]
    assert brought.pop(UNSAFE) == [*first, "0002_split_name.expand.sql"]
    assert brought == dict.fromkeys(("v1", "v2", "v3", "v4", "v5"), first)
