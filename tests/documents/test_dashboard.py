"""The Grafana dashboard asks for what is really exported."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bluegreen.admin.service_file import read_service_file
from bluegreen.app.control_plane import control_plane
from bluegreen.app.settings import Settings
from bluegreen.model.endpoint import Endpoint

ROOT = Path(__file__).parents[2]
FREE = Endpoint("127.0.0.1", 0)


@pytest.fixture(scope="module")
def dashboard() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((ROOT / "grafana/bluegreen.json").read_text())
    return read


@pytest.fixture
async def exported(tmp_path: Path) -> set[str]:
    """The names of the series of a running control plane that carries a service."""
    catalogue = read_service_file((ROOT / "docker/services.yaml").read_text())
    settings = Settings(xds=FREE, admin=FREE, http=FREE, database=tmp_path / "bluegreen.db")
    async with (
        control_plane(settings, catalogue) as running,
        aiohttp.ClientSession() as client,
        client.get(f"http://{running.http}/metrics") as answer,
    ):
        return _series(await answer.text())


def _series(text: str) -> set[str]:
    names: set[str] = set()
    for family in text_string_to_metric_families(text):
        match family.type:
            case "counter":
                names.add(f"{family.name}_total")
            case "histogram":
                names.update(f"{family.name}_{part}" for part in ("bucket", "sum", "count"))
            case _:
                names.add(family.name)
    return names


def _queries(dashboard: dict[str, Any]) -> list[str]:
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    queries += [each["definition"] for each in dashboard["templating"]["list"] if each["type"] == "query"]
    return queries


async def test_every_metric_that_a_query_names_is_exported(
    dashboard: dict[str, Any], exported: set[str]
) -> None:
    named = {name for query in _queries(dashboard) for name in re.findall(r"\bbluegreen_\w+", query)}

    assert named
    assert named - exported == set()


async def test_every_metric_is_shown_somewhere(dashboard: dict[str, Any], exported: set[str]) -> None:
    """But not each series of a histogram, nor when it was created."""
    queries = " ".join(_queries(dashboard))

    forgotten = {
        name
        for name in exported
        if not name.endswith("_created") and re.search(rf"\b{name}\b", queries) is None
    }

    assert forgotten == set()


def test_every_query_goes_to_the_data_source_that_the_viewer_chooses(dashboard: dict[str, Any]) -> None:
    targets = [target for panel in dashboard["panels"] for target in panel.get("targets", ())]

    assert {target["datasource"]["uid"] for target in targets} == {"${datasource}"}


def test_panels_have_ids_of_their_own_and_do_not_overlap(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
