"""What the demo measured, and the table that it ends with."""

from __future__ import annotations

from dataclasses import dataclass, field

from rich.table import Table

from bluegreen.app.demo.database_figures import DatabaseFigures
from bluegreen.app.demo.faults import Faults
from bluegreen.app.demo.load_report import Damage, LoadReport


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


@dataclass(frozen=True, slots=True)
class Stopped:
    """A bad version, and the verdict that stopped it. `back_at`: when the last proxy acknowledged the way
    back, in seconds since the epoch; 0: it never had traffic."""

    version: str
    what: str
    faults: Faults
    verdict: str
    back_at: float = 0.0

    def complaints(self, reached: int, damage: Damage) -> list[str]:
        """What was not as promised, of a version that has got so many production requests."""
        if not self.back_at:
            return [f"{self.version} failed its test, and got {reached} requests."] if reached else []
        complaints = []
        if not reached or not damage.requests:
            complaints.append(f"{self.version} was turned back without having damaged a request.")
        if damage.failed and not self.faults.fail_every:
            complaints.append(f"{self.version} failed {damage.failed} requests.")
        if damage.late and not self.faults.slow:
            complaints.append(f"{self.version} was late for {damage.late} requests.")
        return complaints


@dataclass(slots=True)
class DemoFigures:
    """`reached`: production requests of each bad version, as its processes have counted them."""

    moves: list[Move] = field(default_factory=list)
    drains: list[Emptied] = field(default_factory=list)
    stopped: list[Stopped] = field(default_factory=list)
    reached: dict[str, int] = field(default_factory=dict)
    database: DatabaseFigures | None = None

    def complaints(self, load: LoadReport) -> list[str]:
        """What was not as the demo promises; empty: all was. No request failed but those that a version with
        traffic was made to fail, and what has failed its test got none."""
        complaints = [f"Failed requests: {load.failed}."] if load.failed else []
        expected = {each.version for each in self.stopped if each.back_at}
        complaints += [f"{version} damaged requests." for version in load.damage if version not in expected]
        for each in self.stopped:
            damage = load.damage.get(each.version, Damage())
            complaints += each.complaints(self.reached.get(each.version, 0), damage)
        return complaints + (self.database.complaints() if self.database is not None else [])

    def tables(self, load: LoadReport) -> tuple[Table, ...]:
        """What the clients saw, as the load counted it; how fast each move and drain was; how the bad
        versions were stopped, and by what verdicts; how the schema of the database was changed."""
        tables = (self._seen(load), self._moved(), self._stopped(load), self._verdicts())
        return tables + (self.database.tables() if self.database is not None else ())

    def _seen(self, load: LoadReport) -> Table:
        seen = _table("What the clients saw", "", "")
        seen.add_row("requests", f"{load.requests:,}")
        seen.add_row("failures", f"{load.failed:,}", style="bold red" if load.failed else "bold green")
        seen.add_row("connections closed by an Envoy", f"{load.connections.lost:,}")
        for version, damage in sorted(load.damage.items()):
            if damage.failed:
                seen.add_row(f"failed by {version}, on purpose", f"{damage.failed:,}")
        for version, count in sorted(load.versions.items()):
            seen.add_row(f"answered by {version}", f"{count:,}")
            if version in load.damage and load.damage[version].late:
                seen.add_row("  of these late, on purpose", f"{load.damage[version].late:,}")
        return seen

    def _moved(self) -> Table:
        moved = _table("How fast it moved", "", "to last ACK", "skew", "drained in")
        for move in self.moves:
            moved.add_row(move.what, f"{move.to_last_ack * 1000:.1f} ms", f"{move.skew * 1000:.1f} ms", "")
        for drain in self.drains:
            moved.add_row(drain.what, "", "", f"{drain.seconds:.1f} s")
        return moved

    def _stopped(self, load: LoadReport) -> Table:
        table = _table("How the bad versions were stopped", "", "got requests", "damaged", "back after")
        for each in self.stopped:
            damage = load.damage.get(each.version, Damage())
            after = each.back_at - damage.first_at
            table.add_row(
                f"{each.version}, {each.what}",
                f"{self.reached.get(each.version, 0):,}",
                f"{damage.requests:,}",
                f"{after:.1f} s" if each.back_at and damage.first_at else "",
            )
        return table

    def _verdicts(self) -> Table:
        table = _table("The verdicts", "", "")
        table.columns[1].justify = "left"
        for each in self.stopped:
            table.add_row(each.version, each.verdict)
        return table


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold", show_header=any(others))
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table
