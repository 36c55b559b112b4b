"""docs/gates.md: its conditions are conditions."""

from __future__ import annotations

import re
from pathlib import Path

from bluegreen.model.condition import Metric, parse_condition

PAGE = (Path(__file__).parents[2] / "docs/gates.md").read_text()


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
