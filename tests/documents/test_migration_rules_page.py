"""docs/migration-rules.md is what the table of rules says."""

from __future__ import annotations

from pathlib import Path

from bluegreen.migrations.lint.rules import ALL_RULES
from bluegreen.migrations.lint.rules_page import rules_page

PAGE = (Path(__file__).parents[2] / "docs/migration-rules.md").read_text()


def test_the_page_is_in_step_with_the_rules() -> None:
    assert rules_page() == PAGE, (
        "Run: python -m bluegreen.migrations.lint.rules_page > docs/migration-rules.md"
    )


def test_every_rule_is_on_it_once() -> None:
    assert [each.name for each in ALL_RULES if PAGE.count(f"| `{each.name}` |") != 1] == []
