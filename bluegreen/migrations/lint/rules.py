"""All rules, and the page that tells of them."""

from __future__ import annotations

from bluegreen.migrations.lint.form_rules import FORM_RULES
from bluegreen.migrations.lint.own_rules import OWN_RULES
from bluegreen.migrations.lint.rule import Rule
from bluegreen.migrations.lint.squawk_rules import SQUAWK_RULES

ALL_RULES: tuple[Rule, ...] = (
    *FORM_RULES,
    *dict.fromkeys(own.rule for own in OWN_RULES),
    *SQUAWK_RULES,
)
_BY_NAME = {rule.name: rule for rule in ALL_RULES}


def find_rule(name: str) -> Rule | None:
    return _BY_NAME.get(name)
