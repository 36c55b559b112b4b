"""How we look for what Squawk is silent on: a rule is a pattern that the statement's skeleton begins with."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bluegreen.migrations.lint.rule import Rule

NAME = r'(?:[^ "]++|"[^"]*+")'
QUALIFIED = rf"(?P<table>{NAME}(?: \. {NAME})*+)"


@dataclass(frozen=True, slots=True)
class OwnRule:
    """`pattern` may have a group `table`: one that the same file creates is free."""

    rule: Rule
    pattern: re.Pattern[str]


def own(rule: Rule, *patterns: str) -> list[OwnRule]:
    return [OwnRule(rule, re.compile(pattern)) for pattern in patterns]
