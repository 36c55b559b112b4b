"""demo: needs what is installed with it."""

from __future__ import annotations

from typing import Any

from bluegreen.model.errors import Refused

try:
    from bluegreen.app.demo.run import DemoOptions, run
except ModuleNotFoundError as missing:
    raise Refused(
        f"The demo cannot run: the Python package {missing.name} is not installed.",
        "Install what it needs with pip install 'bluegreen[demo]'.",
    ) from missing


def play(options: dict[str, Any]) -> int:
    return run(DemoOptions(**options))
