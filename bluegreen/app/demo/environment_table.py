"""The environments of the live view: what runs where, and what share it has."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from bluegreen.admin.v1 import admin_pb2 as pb

WIDE, WIDEST = 100, 130
"""Columns of a terminal from which on there is room for most, and for everything."""

_COLOURS = {"blue": "bright_blue", "green": "bright_green"}
_BAR, _SHORT_BAR = 20, 8
_FIGURES = ("acknowledged", "observed", "req/s", "active", "p99 (Envoy)")
_ALL_FIGURES = (*_FIGURES, "up")
_FEWER_FIGURES = ("acked", "seen", "req/s")


def environment_table(deployments: Iterable[pb.Deployment], width: int) -> Table:
    """One row for each deployment; short words, and less of it, where the terminal is narrow."""
    is_wide = width >= WIDE
    table = Table(expand=True, box=None, header_style="bold", pad_edge=False)
    for name in ("environment", "version", "status", "weight") if is_wide else ("", "", "status", "weight"):
        table.add_column(name, no_wrap=True)
    figures = _ALL_FIGURES if width >= WIDEST else _FIGURES if is_wide else _FEWER_FIGURES
    for name in figures:
        table.add_column(name, justify="right", no_wrap=True)
    for each in deployments:
        row = _row(each, _BAR if is_wide else _SHORT_BAR)
        table.add_row(*row[: 4 + len(figures)])
    return table


def _row(each: pb.Deployment, length: int) -> tuple[Text | str, ...]:
    colour = _COLOURS.get(each.environment, "white")
    bar = "█" * round(each.set_percent / 100 * length)
    return (
        Text(each.environment, style=f"bold {colour}"),
        f"{each.version} (rev {each.revision})",
        each.status,
        Text.assemble((bar.ljust(length, "·"), colour), f" {each.set_percent:3d} %"),
        f"{each.acknowledged_by} of {each.proxies}",
        f"{each.observed_percent:.0f} %" if each.observed_percent >= 0 else "-",
        f"{each.requests_per_second:.0f}",
        str(each.active_requests),
        f"{each.p99_ms:.0f} ms" if each.p99_ms >= 0 else "-",
        f"{each.capacity.up} of {each.capacity.wanted}" if each.capacity.wanted else "-",
    )
