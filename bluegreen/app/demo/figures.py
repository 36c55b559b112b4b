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

    def tables(self, load: LoadReport) -> tuple[Table, Table]:
        """What the clients saw, as the load counted it; and how fast each move and drain was."""
        seen = _table("What the clients saw", "", "")
        seen.add_row("requests", f"{load.requests:,}")
        seen.add_row("failures", f"{load.failed:,}", style="bold red" if load.failed else "bold green")
        seen.add_row("connections closed by an Envoy", f"{load.connections.lost:,}")
        for version, count in sorted(load.versions.items()):
            seen.add_row(f"answered by {version}", f"{count:,}")
        moved = _table("How fast it moved", "", "to last ACK", "skew", "drained in")
        for move in self.moves:
            moved.add_row(move.what, f"{move.to_last_ack * 1000:.1f} ms", f"{move.skew * 1000:.1f} ms", "")
        for drain in self.drains:
            moved.add_row(drain.what, "", "", f"{drain.seconds:.1f} s")
        return seen, moved


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold", show_header=any(others))
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table
