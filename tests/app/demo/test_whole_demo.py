"""The whole demo, as `make demo` runs it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bluegreen.app.demo.processes import ChildProcesses, Command


@pytest.mark.slow
async def test_it_keeps_what_it_promises(children: ChildProcesses, tmp_path: Path) -> None:
    lines: list[str] = []
    arguments = (sys.executable, "-m", "bluegreen", "demo", "--plain", f"--directory={tmp_path / 'demo'}")
    demo = await children.start(Command("demo", arguments, on_line=lines.append))
    assert await demo.exited() == 0, "\n".join([*lines, demo.last_lines()])
    text = "\n".join(lines)
    for bad in ("v3 has failed: 1 of 2 tests failed: smoke", "v4 is turned back", "v5 is turned back"):
        assert bad in text
    assert "v3 has counted 0 requests of production" in text
    assert (tmp_path / "demo" / "services.yaml").read_text() in text
