"""What the demo promises of bad versions, and what it says where that was not so."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO

import pytest
from rich.console import Console

from bluegreen.app.demo.database_figures import DatabaseFigures, RefusedAct
from bluegreen.app.demo.faults import Faults
from bluegreen.app.demo.figures import DemoFigures, Stopped
from bluegreen.app.demo.load_report import Connections, Damage, Latency, LoadReport, Tally
from bluegreen.app.demo.people_table import Halves

TESTED = Stopped("v3", "fails its smoke test", Faults(fail_smoke=True), "smoke: came 500")
FAILING = Stopped("v4", "answers errors", Faults(fail_every=50), "success_rate 97 %", back_at=103.5)
SLOW = Stopped("v5", "turns slow", Faults(slow=0.3), "p90 384 ms", back_at=205.0)
REACHED = {"v3": 0, "v4": 100, "v5": 120}
DAMAGE = {"v4": Damage(failed=2, first_at=101.0), "v5": Damage(late=90, first_at=202.0)}


def seen(damage: Mapping[str, Damage], failed: int = 0) -> LoadReport:
    tally = Tally(1_000, {"status 500": failed} if failed else {}, {"v2": 700, "v4": 98, "v5": 120})
    targets = {"127.0.0.1:1": tally}
    return LoadReport(1.0, 1.0, True, 0, targets, Latency(), Connections(), (), damage)


def figures(reached: Mapping[str, int]) -> DemoFigures:
    return DemoFigures(stopped=[TESTED, FAILING, SLOW], reached=dict(reached))


def test_all_as_promised() -> None:
    assert figures(REACHED).complaints(seen(DAMAGE)) == []


@pytest.mark.parametrize(
    ("reached", "damage", "failed", "complaint"),
    [
        (REACHED, DAMAGE, 1, "Failed requests: 1"),
        ({**REACHED, "v3": 1}, DAMAGE, 0, "v3 failed its test, and got 1 requests"),
        (REACHED, {**DAMAGE, "v3": Damage(failed=1, first_at=1.0)}, 0, "v3 damaged requests"),
        (REACHED, {**DAMAGE, "v2": Damage(late=1, first_at=1.0)}, 0, "v2 damaged requests"),
        (REACHED, {"v5": DAMAGE["v5"]}, 0, "v4 was turned back without having damaged a request"),
        ({**REACHED, "v4": 0}, DAMAGE, 0, "v4 was turned back without having damaged a request"),
        (REACHED, {**DAMAGE, "v5": Damage(failed=1, late=90, first_at=1.0)}, 0, "v5 failed 1 requests"),
        (REACHED, {**DAMAGE, "v4": Damage(failed=1, late=3, first_at=1.0)}, 0, "v4 was late for 3 requests"),
    ],
)
def test_what_was_not_as_promised_is_said(
    reached: Mapping[str, int], damage: Mapping[str, Damage], failed: int, complaint: str
) -> None:
    (said,) = figures(reached).complaints(seen(damage, failed))
    assert said == f"{complaint}."


@pytest.mark.parametrize(
    ("halves", "complaint"),
    [
        (None, "The rows of the database were not proved right."),
        (Halves(120, 1), "Rows with a wrong first_name or last_name: 1."),
        (Halves(99, 0), "Of 100 people, 99 are left in the database."),
        (Halves(120, 0), ""),
    ],
)
def test_every_row_of_the_database_must_be_right(halves: Halves | None, complaint: str) -> None:
    told = DemoFigures(database=DatabaseFigures(100, halves=halves)).complaints(seen({}))
    assert told == ([complaint] if complaint else [])


def test_what_is_refused_must_be_refused_with_a_reason() -> None:
    refused = [RefusedAct("the expand of v6", ""), RefusedAct("the contract of v7", "v2 is the way back.")]
    told = DatabaseFigures(100, halves=Halves(120, 0), refused=refused).complaints()
    assert told == ["Nothing says why the expand of v6 was refused."]


def test_the_tables_show_what_was_damaged_how_fast_it_ended_and_why() -> None:
    console = Console(width=80, force_terminal=False, record=True, file=StringIO())
    for table in figures(REACHED).tables(seen(DAMAGE)):
        console.print(table)
    text = console.export_text()
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if "│" in line]
    assert ["v3, fails its smoke test", "0", "0", ""] in rows
    assert ["v4, answers errors", "100", "2", "2.5 s"] in rows
    assert ["v5, turns slow", "120", "90", "3.0 s"] in rows
    assert ["failed by v4, on purpose", "2"] in rows
    assert ["of these late, on purpose", "90"] in rows
    assert ["v5", "p90 384 ms"] in rows
