"""What the example's page says to apply can be applied, and where it leads, something is."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from bluegreen.admin.service_file import read_service_file

PAGE = Path(__file__).parents[2] / "examples" / "application" / "README.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_its_service_files_can_be_applied() -> None:
    whole, instances = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    read_service_file(whole)
    service_file = yaml.safe_load(whole)
    web = service_file["services"]["web"]
    del web["environments"]
    web.update(yaml.safe_load(instances))
    read_service_file(yaml.safe_dump(service_file))


def test_links_lead_somewhere() -> None:
    links = [each.partition("#")[0] for each in re.findall(r"\]\(([^)]+)\)", TEXT) if "://" not in each]
    assert links
    assert [each for each in links if not (PAGE.parent / each).exists()] == []
