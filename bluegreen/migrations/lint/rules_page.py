"""The page that tells of all rules: `docs/migration-rules.md` is what this writes."""

from __future__ import annotations

from collections.abc import Iterable

from bluegreen.migrations.lint.form_rules import FORM_RULES
from bluegreen.migrations.lint.own_rules import OWN_RULES
from bluegreen.migrations.lint.rule import Ground, Rule
from bluegreen.migrations.lint.squawk_rules import SQUAWK_RULES

_BEGINNING = """\
# The rules of `bluegreen migrations lint`

Each file of a version's migrations is held to what the versions that run meanwhile can live with. A rule is
*refused* in a phase (the phase is not run, and `bluegreen migrations lint` ends with 1), *told*, or *passed
over*. A backfill is held to what expand is.

A comment `-- squawk-ignore RULE` above a statement, within it or behind it on its line, makes an exception of
that statement; `-- squawk-ignore-file RULE` of the whole file. It has no say in what *cannot be run*, nor, in
expand, in what *breaks the running version*. What the same file creates is free: tables, views, sequences,
routines, types, schemas. Where Squawk says more than PostgreSQL does (a default that is worked out once for
all rows, `NOT ENFORCED`, `REPLICA IDENTITY FULL` and others), a finding of its weighs less than its rule.

This page is written by `python -m bluegreen.migrations.lint.rules_page > docs/migration-rules.md`.
"""


def rules_page() -> str:
    """The whole page, in Markdown."""
    own = dict.fromkeys(each.rule for each in OWN_RULES)
    parts = [
        _BEGINNING,
        "## The directory and its files\n",
        _table(FORM_RULES),
        "## What is looked for in the statements\n",
        "These are ours.\n",
        _table(own),
        "And these [Squawk](https://squawkhq.com/docs/rules)'s, by its names. One that only a later Squawk",
        "knows is refused in expand if its name begins with `ban-`, `renaming-` or `changing-`, else told.\n",
    ]
    for ground in Ground:
        rules = [rule for rule in SQUAWK_RULES if rule.ground is ground]
        if rules:
            parts += [f"### {ground.capitalize()}\n", _table(rules)]
    return "\n".join(parts)


def _table(rules: Iterable[Rule]) -> str:
    rows = [
        f"| `{rule.name}` | {rule.expand} | {rule.contract} | {rule.ground} "
        f"| {rule.reason} | {rule.safe_way} |"
        for rule in rules
    ]
    head = [
        "| rule | expand, backfill | contract | ground | reason | safe way |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *rows, ""])


if __name__ == "__main__":
    print(rules_page(), end="")
