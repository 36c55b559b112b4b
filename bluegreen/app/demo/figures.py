"""What the demo measured, and the table that it ends with."""

from __future__ import annotations

from dataclasses import dataclass, field

from rich.table import Table

from bluegreen.app.demo.load_report import LoadReport


@dataclass(frozen=True, slots=True)
class Move:
    """One change of the weights: from the command to the last proxy's acknowledgement, and between the first
    proxy's and the last one's. In seconds."""

    what: str
    to_last_ack: float
    skew: float


@dataclass(frozen=True, slots=True)
class Emptied:
    """How long the old environment took until every proxy had proved it idle, in seconds."""

    what: str
    seconds: float


@dataclass(slots=True)
class DemoFigures:
    moves: list[Move] = field(default_factory=list)
    drains: list[Emptied] = field(default_factory=list)

    def table(self, load: LoadReport) -> Table:
        """Requests and failures as the client counted them, then every move and drain."""
        table = Table(title="What the release cost", title_justify="left", header_style="bold")
        table.add_column("figure")
        table.add_column("value", justify="right")
        table.add_row("requests", f"{load.requests:,}")
        table.add_row("failures", f"{load.failed:,}", style="bold red" if load.failed else "bold green")
        table.add_row("connections closed by an Envoy", f"{load.connections.lost:,}")
        for version, count in sorted(load.versions.items()):
            table.add_row(f"answered by {version}", f"{count:,}")
        table.add_section()
        for move in self.moves:
            table.add_row(f"{move.what}: command to last ACK", f"{move.to_last_ack * 1000:.1f} ms")
            table.add_row(f"{move.what}: skew between the two proxies", f"{move.skew * 1000:.1f} ms")
        table.add_section()
        for drain in self.drains:
            table.add_row(f"{drain.what}: drained in", f"{drain.seconds:.1f} s")
        return table
