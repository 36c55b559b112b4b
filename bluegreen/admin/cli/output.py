"""Standard output and standard error: for a person, in a pipe, for a program."""

from __future__ import annotations

import json
import re
import sys
import time

import click
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Console, RenderableType
from rich.table import Table

PIPE_WIDTH = 400
"""Columns where nobody's terminal sets them: lines are for grep, and must not be broken."""

_UNUSUAL = re.compile(r"[^\n -~]")


def console(*, err: bool = False) -> Console:
    """Standard output, or standard error; colours only on a terminal that wants them."""
    terminal = (sys.stderr if err else sys.stdout).isatty()
    width = None if terminal else PIPE_WIDTH
    return Console(
        stderr=err, width=width, highlight=False, markup=False, emoji=False, soft_wrap=not terminal
    )


def show(*parts: RenderableType, err: bool = False) -> None:
    out = console(err=err)
    for part in parts:
        out.print(part)


def show_json(message: Message, *, line: bool = False) -> None:
    """The protobuf JSON mapping with the names of the `.proto` file, defaults included. 64-bit counts are
    strings in it. `line`: one message a line, for a stream of them."""
    values = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    text = json.dumps(values, indent=None if line else 2, ensure_ascii=False)
    click.echo(_UNUSUAL.sub(_escaped, text))


def _escaped(found: re.Match[str]) -> str:
    """JSON lets control characters beyond ASCII stand for themselves; a terminal obeys them."""
    return found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1]


def tell(sentence: str) -> None:
    """Say on standard error how it goes; above the bar, where one is drawn there, which click's echo would
    write into."""
    print(f"{clock(time.time())}  {sentence}", file=sys.stderr, flush=True)


def printable(text: str) -> str:
    """What proxies and operators wrote, without what would move the cursor."""
    return "".join(each if each.isprintable() else " " for each in text)


def columns(*names: str, right: tuple[str, ...] = ()) -> Table:
    """A table of words in columns, without lines around them."""
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for name in names:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return table


def clock(at: float) -> str:
    """Local time of day; the day as well where it is not today's."""
    then, now = time.localtime(at), time.localtime()
    same_day = (then.tm_year, then.tm_yday) == (now.tm_year, now.tm_yday)
    return time.strftime("%H:%M:%S" if same_day else "%Y-%m-%d %H:%M:%S", then)


def span(seconds: float) -> str:
    """An age or a countdown, to the precision that matters: 4s, 59s, 3m20s, 2h05m, 3d."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 2 * 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86400}d"


def number(value: float, unknown: str = "-") -> str:
    """A figure of the API, where -1 stands for unknown."""
    if value < 0:
        return unknown
    return f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"
