"""What is seen on terminals that are too narrow, and in a pipe."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console, RenderableType
from rich.text import Text

from bluegreen.admin.cli.fitting import Alternatives, Indented, OneLine
from bluegreen.admin.cli.status_view import status_view
from bluegreen.admin.v1 import admin_pb2 as pb


def shown(part: RenderableType, width: int, *, pipe: bool = False) -> list[str]:
    out = StringIO()
    Console(file=out, width=width, highlight=False, soft_wrap=pipe).print(part)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_a_line_that_is_cut_says_so() -> None:
    line = Text("v2 has all traffic.\n  and a row below it")
    assert shown(OneLine(line), 12) == ["v2 has all …", "  and a row…"]
    assert shown(OneLine(line), 12, pipe=True) == ["v2 has all traffic.", "  and a row below it"]


def test_further_lines_are_indented() -> None:
    line = Text("  fail  lint: it may change any row")
    assert shown(Indented(line, 8), 24) == ["  fail  lint: it", "        may change any", "        row"]
    assert shown(Indented(line, 8), 24, pipe=True) == ["  fail  lint: it may change any row"]
    assert len(shown(Indented(line, 8), 10)) > 1, "too narrow to indent anything"


def test_the_narrow_one_is_for_where_the_wide_one_has_no_room() -> None:
    either = Alternatives(Text("a b c d"), Text("narrow"))
    assert (shown(either, 7), shown(either, 6)) == (["a b c d"], ["narrow"])
    assert shown(either, 400, pipe=True) == ["a b c d"]


@pytest.mark.parametrize(("width", "heads"), [(80, 2), (120, 1)])
def test_no_word_of_a_status_is_broken_on_a_usual_terminal(width: int, heads: int) -> None:
    status = pb.ServiceStatus(service="shop")
    status.deployments.add(
        environment="blue", version="v1", revision=5, status="draining", deadline_at=1058, status_since=300
    )
    status.deployments.add(
        environment="green", version="2026.11.23-4", revision=7, status="active", set_percent=100
    )
    lines = shown(status_view(status, 1000.0), width)
    assert sum(line.startswith("ENVIRONMENT ") for line in lines) == heads
    (draining,) = (line for line in lines if "draining" in line)
    assert draining.startswith("blue         v1")
    assert "draining, 58s left" in draining
    assert draining.endswith("11m40s")
    assert all(any(name in line for line in lines) for name in ("OBSERVED", "P99 MS", "2026.11.23-4"))
