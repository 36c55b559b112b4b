"""The live view of the demo: environments, weights, rates, failures, and the story line by line.

On a terminal it is drawn in place; elsewhere each line of the story is printed once, with the figures of the
load now and then.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.app.demo.load_report import LoadReport

STORY_LINES = 12
RATE_REPORTS = 8
"""Reports of the load that a rate is taken over: two seconds."""

PLAIN_EVERY = 5.0
"""Seconds between two lines of figures where there is no terminal."""

_COLOURS = {"blue": "bright_blue", "green": "bright_green"}
_BAR = 20


class DemoView:
    """Told of everything as it happens; shows the latest of it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._status: pb.ServiceStatus | None = None
        self._recent: deque[LoadReport] = deque(maxlen=RATE_REPORTS)
        self._requests = self._failed = self._lost = 0
        self._story: deque[tuple[float, str]] = deque(maxlen=STORY_LINES)
        self._last_figures = 0.0

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Draw in place until the context ends, where there is a terminal."""
        if not self._console.is_terminal:
            yield
            return
        with Live(get_renderable=self.render, console=self._console, refresh_per_second=8):
            yield

    def say(self, line: str) -> None:
        """One line of the story."""
        elapsed = time.monotonic() - self._began
        self._story.append((elapsed, line))
        if not self._console.is_terminal:
            self._console.print(f"{elapsed:5.1f} s  {line}", highlight=False, soft_wrap=True)

    def status_changed(self, status: pb.ServiceStatus) -> None:
        self._status = status

    def load_reported(self, report: LoadReport) -> None:
        if report.final:
            return
        self._recent.append(report)
        self._requests += report.requests
        self._failed += report.failed
        self._lost += report.connections.lost
        elapsed = time.monotonic() - self._began
        if not self._console.is_terminal and elapsed - self._last_figures >= PLAIN_EVERY:
            self._last_figures = elapsed
            rates = ", ".join(f"{version} {rate:.0f}/s" for version, rate in self._rates().items())
            self._console.print(
                f"{elapsed:5.1f} s    load: {self._requests} requests, {self._failed} failed; {rates}",
                highlight=False,
                soft_wrap=True,
            )

    def render(self) -> RenderableType:
        parts: list[RenderableType] = [self._environments(), self._load(), self._story_so_far()]
        if self._status is not None:
            parts.insert(1, Text(self._status.activity, style="italic", overflow="ellipsis", no_wrap=True))
        return Panel(
            Group(*parts),
            title="[bold]bluegreen demo[/bold]: a release through two real Envoys, under load",
            subtitle=f"{time.monotonic() - self._began:.0f} s",
        )

    def _environments(self) -> Table:
        table = Table(expand=True, box=None, header_style="bold", pad_edge=False)
        for name, justify in (
            ("environment", "left"),
            ("version", "left"),
            ("status", "left"),
            ("weight", "left"),
            ("acknowledged", "right"),
            ("observed", "right"),
            ("req/s", "right"),
            ("active", "right"),
            ("p99 (Envoy)", "right"),
        ):
            table.add_column(name, justify="right" if justify == "right" else "left", no_wrap=True)
        for each in self._status.deployments if self._status is not None else ():
            colour = _COLOURS.get(each.environment, "white")
            bar = "█" * round(each.set_percent / 100 * _BAR)
            table.add_row(
                Text(each.environment, style=f"bold {colour}"),
                f"{each.version} (rev {each.revision})",
                each.status,
                Text.assemble((bar.ljust(_BAR, "·"), colour), f" {each.set_percent:3d} %"),
                f"{each.acknowledged_by} of {each.proxies}",
                f"{each.observed_percent:.0f} %" if each.observed_percent >= 0 else "-",
                f"{each.requests_per_second:.0f}",
                str(each.active_requests),
                f"{each.p99_ms:.0f} ms" if each.p99_ms >= 0 else "-",
            )
        return table

    def _load(self) -> RenderableType:
        failures = Text(f"{self._failed} failed", style="bold red" if self._failed else "bold green")
        line = Text.assemble("\nload  ", (f"{self._requests:,} requests", "bold"), "  ", failures, "  ")
        for version, rate in self._rates().items():
            line.append(f"  {version} {rate:.0f}/s", style="cyan")
        if self._recent:
            latest = self._recent[-1]
            line.append(
                f"   {latest.in_flight} in flight   p99 of the fast ones {latest.latency.p99 * 1000:.0f} ms"
            )
            line.append(f"   {self._lost} connections closed by an Envoy")
        return line

    def _story_so_far(self) -> RenderableType:
        lines = Text("\n")
        for elapsed, line in self._story:
            lines.append(f"{elapsed:5.1f} s  ", style="dim")
            lines.append(f"{line}\n")
        lines.rstrip()
        return lines

    def _rates(self) -> dict[str, float]:
        span = sum(report.span for report in self._recent)
        counts: dict[str, int] = {}
        for report in self._recent:
            for version, count in report.versions.items():
                counts[version] = counts.get(version, 0) + count
        return {version: count / span for version, count in sorted(counts.items())} if span else {}
