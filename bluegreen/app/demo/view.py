"""The live view of the demo: environments, weights, rates, failures, and the story line by line.

On a terminal it is drawn in place; elsewhere each line of the story is printed once, with the figures of the
load now and then.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from bluegreen.admin.cli.migration_bar import rows_line
from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.app.demo.environment_table import environment_table
from bluegreen.app.demo.load_report import LoadReport

STORY_LINES = 30
LEAST_STORY = 3
FRAME = 4
"""Lines of the panel's frame, of the blank one above the story, and of the cursor below."""

RATE_REPORTS = 8
"""Reports of the load that a rate is taken over: two seconds."""

PLAIN_EVERY = 5.0
"""Seconds between two lines of figures where there is no terminal."""


class DemoView:
    """Told of everything as it happens; shows the latest of it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._status: pb.ServiceStatus | None = None
        self._recent: deque[LoadReport] = deque(maxlen=RATE_REPORTS)
        self._requests = self._failed = self._lost = 0
        self._damaged: Counter[str] = Counter()
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

    def show_file(self, text: str) -> None:
        """The whole text, once; on a terminal it stays above what is drawn in place."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

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
        self._damaged.update({version: damage.requests for version, damage in report.damage.items()})
        elapsed = time.monotonic() - self._began
        if not self._console.is_terminal and elapsed - self._last_figures >= PLAIN_EVERY:
            self._last_figures = elapsed
            rates = ", ".join(f"{version} {rate:.0f}/s" for version, rate in self._rates().items())
            self._console.print(
                f"{elapsed:5.1f} s    load: {self._requests} requests, {self._failed} failed  "
                f"{self._on_purpose()}{rates}",
                highlight=False,
                soft_wrap=True,
            )

    def render(self) -> RenderableType:
        """What is now, and as much of the story as there is room for: the end of it."""
        deployments = self._status.deployments if self._status is not None else ()
        parts: list[RenderableType] = [environment_table(deployments, self._console.width), self._load()]
        if self._status is not None:
            parts.insert(1, Text(self._status.activity, style="italic", overflow="ellipsis", no_wrap=True))
            progress = self._status.migration_progress
            if progress.rows_total > 0:
                line = f"{progress.file}  {rows_line(progress)}"
                parts.insert(2, Text(line, style="magenta", overflow="ellipsis", no_wrap=True))
        width = self._console.width - len("│ ") - len(" │")
        above = self._console.render_lines(Group(*parts), self._console.options.update(width=width))
        room = max(LEAST_STORY, self._console.height - len(above) - FRAME)
        story = self._story_so_far().wrap(self._console, width)[-room:]
        return Panel(
            Group(*parts, Text(), *story),
            title="[bold]bluegreen demo[/bold]: releases through two real Envoys, under load",
            subtitle=f"{time.monotonic() - self._began:.0f} s",
        )

    def _load(self) -> RenderableType:
        failures = Text(f"{self._failed} failed", style="bold red" if self._failed else "bold green")
        line = Text.assemble("\nload  ", (f"{self._requests:,} requests", "bold"), "  ", failures, "  ")
        line.append(self._on_purpose(), style="yellow")
        for version, rate in self._rates().items():
            line.append(f"  {version} {rate:.0f}/s", style="cyan")
        if self._recent:
            latest = self._recent[-1]
            line.append(
                f"   {latest.in_flight} in flight   p99 of the fast ones {latest.latency.p99 * 1000:.0f} ms"
            )
            line.append(f"   {self._lost} connections closed by an Envoy")
        return line

    def _on_purpose(self) -> str:
        """What bad versions have damaged so far; empty: nothing."""
        damaged = ", ".join(f"{version} {count}" for version, count in sorted(self._damaged.items()))
        return f"damaged on purpose by {damaged}  " if damaged else ""

    def _story_so_far(self) -> Text:
        lines = Text()
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
