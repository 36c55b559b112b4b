"""docs/gates.md: its conditions are conditions, and its examples can be applied."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from bluegreen.admin.service_file import read_service_file
from bluegreen.gates.command_environment import command_environment
from bluegreen.model.checker import Target
from bluegreen.model.condition import Metric, parse_condition
from bluegreen.model.hook import Moment

PAGE = (Path(__file__).parents[2] / "docs/gates.md").read_text()
EXAMPLES = re.findall(r"^```yaml\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL)
SERVICE = {"gateways": ["edge"], "domains": ["shop.example.com"]}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.split("\n")[1].strip())
def test_each_example_can_be_applied(example: str) -> None:
    gateways = {"edge": {"listen": "127.0.0.1:10000"}}
    services = {"shop": {**SERVICE, **yaml.safe_load(example)}}
    catalogue = read_service_file(yaml.safe_dump({"gateways": gateways, "services": services}))
    assert (
        catalogue.services["shop"]
        != read_service_file(yaml.safe_dump({"gateways": gateways, "services": {"shop": SERVICE}})).services[
            "shop"
        ]
    )


def test_every_kind_of_gate_has_an_example() -> None:
    examples = "".join(EXAMPLES)
    kinds = ("http", "grpc", "command", "prometheus", "webhook", "approval", "compare", "min_healthy")
    moments = [moment.replace("-", "_") for moment in Moment]
    assert [kind for kind in (*kinds, *moments) if f"{kind}:" not in examples] == []


def test_what_a_command_is_told_is_all_there() -> None:
    told = command_environment({}, Target("shop", "v2", 2, "green", "shop/6"))
    shown = set(re.findall(r"^(BLUEGREEN_\w+)=", PAGE, re.MULTILINE))
    assert shown == {name for name in told if name.startswith("BLUEGREEN_")}
    (body,) = re.findall(r"^```json\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL)
    assert list(yaml.safe_load(body)) == [each.name for each in fields(Target)]


def test_each_metric_is_explained_with_examples_that_can_be_written() -> None:
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| .* \| (.*) \|$", PAGE, re.MULTILINE)
    explained = {
        metric: re.findall(r"`([^`]+)`", examples)
        for metrics, examples in rows
        for metric in re.findall(r"`(\w+)`", metrics)
        if metric in set(Metric)
    }

    assert set(explained) == set(Metric)
    for examples in explained.values():
        assert {parse_condition(example).text for example in examples} == set(examples)
