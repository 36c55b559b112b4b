"""What is installed is all there is: setuptools packs only the packages that pyproject.toml lists."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_package_is_listed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    present = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for top in ("bluegreen", "deployment_store", "xds_server")
        for path in (ROOT / top).rglob("__init__.py")
    }

    assert set(listed) == present
