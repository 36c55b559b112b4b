"""What the release with a database came to, and the table of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from rich.table import Table

from bluegreen.app.demo.people_table import Halves


@dataclass(frozen=True, slots=True)
class Migrated:
    """One phase that was carried through, and what the control plane said of it."""

    phase: str
    seconds: float
    summary: str


@dataclass(frozen=True, slots=True)
class RefusedAct:
    """What must not be done at that moment, and the words in which it was refused."""

    what: str
    words: str


@dataclass(slots=True)
class DatabaseFigures:
    """`halves`: the proof at the end; None: it did not come to that. `people`: so many there must be at
    least."""

    people: int = 0
    migrated: list[Migrated] = field(default_factory=list)
    refused: list[RefusedAct] = field(default_factory=list)
    halves: Halves | None = None

    def complaints(self) -> list[str]:
        """What is not right in the database, or was refused without a word; empty: every row is."""
        complaints = [f"Nothing says why {each.what} was refused." for each in self.refused if not each.words]
        if self.halves is None:
            return [*complaints, "The rows of the database were not proved right."]
        if self.halves.wrong:
            complaints.append(f"Rows with a wrong first_name or last_name: {self.halves.wrong}.")
        if self.halves.rows < self.people:
            complaints.append(f"Of {self.people} people, {self.halves.rows} are left in the database.")
        return complaints

    def tables(self) -> tuple[Table, ...]:
        return self._migrated(), self._refused()

    def _migrated(self) -> Table:
        table = Table(title="The release that split a column", title_justify="left", header_style="bold")
        table.add_column("")
        table.add_column("took", justify="right")
        table.add_column("")
        for each in self.migrated:
            table.add_row(each.phase, f"{each.seconds:.2f} s", each.summary)
        if self.halves is not None:
            rows, wrong = self.halves.rows, self.halves.wrong
            style = "bold red" if wrong else "bold green"
            table.add_row(
                "proof", "", f"{rows - wrong:,} of {rows:,} rows have both halves right", style=style
            )
        return table

    def _refused(self) -> Table:
        table = Table(title="What was refused on the way", title_justify="left", show_header=False)
        table.add_column()
        table.add_column()
        for each in self.refused:
            table.add_row(each.what, each.words)
        return table
