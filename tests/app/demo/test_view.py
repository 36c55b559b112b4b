"""The live view fits its terminal, and shows the weights and the end of the story."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.app.demo.load_report import Connections, Damage, Latency, LoadReport, Tally
from bluegreen.app.demo.view import DemoView

STATUS = pb.ServiceStatus(
    service="shop",
    activity="Holds at 10 %.",
    migration_progress=pb.MigrationProgress(
        file="0002_split_name.backfill.sql",
        rows_done=12_000,
        rows_total=50_000,
        rows_per_second=9_876,
        seconds_left=4,
    ),
    deployments=[
        pb.Deployment(
            revision=3,
            version="v2",
            environment="green",
            status="active",
            set_percent=90,
            capacity=pb.Capacity(up=1, wanted=2),
        ),
        pb.Deployment(revision=5, version="v4", environment="blue", status="shifting", set_percent=10),
    ],
)
REPORT = LoadReport(
    at=1.0,
    span=0.25,
    final=False,
    in_flight=12,
    targets={"127.0.0.1:1": Tally(100, {}, {"v2": 90, "v4": 9})},
    latency=Latency(),
    connections=Connections(),
    damage={"v4": Damage(failed=1, first_at=1.0)},
)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (130, 40), (60, 18)])
def test_it_fits_and_the_latest_is_seen(width: int, height: int) -> None:
    console = Console(width=width, height=height, force_terminal=True, record=True, file=StringIO())
    view = DemoView(console)
    view.status_changed(STATUS)
    view.load_reported(REPORT)
    for number in range(50):
        view.say(f"Something happened for the time number {number}, in many words, so that the line is long")
    view.say("The end")
    console.print(view.render())
    lines = console.export_text().splitlines()
    assert len(lines) < height
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert "The end" in lines[-2]
    assert "0002_split_name.backfill.sql  12,000 of" in text
    assert "0 failed" in text
    assert "damaged on purpose by v4 1" in " ".join(text.replace("│", " ").split())
    if width >= 80:
        assert " 90 %" in text
        assert " 10 %" in text
        assert "shifting" in text
    if width >= 130:
        assert "p99 (Envoy)" in text
        assert "1 of 2" in text
