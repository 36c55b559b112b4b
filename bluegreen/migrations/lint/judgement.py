"""What the findings in one file weigh in its phase. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from bluegreen.migrations.lint.form_rules import LINT_FAILED, SYNTAX_ERROR, UNUSED_IGNORE
from bluegreen.migrations.lint.ignores import Ignores, read_ignores
from bluegreen.migrations.lint.leniency import lenient
from bluegreen.migrations.lint.made_here import MadeHere
from bluegreen.migrations.lint.new_things import (
    NOTHING_NEW,
    NewThings,
    demands_value,
    has_values,
    is_about,
    read_new_things,
    restricts_only,
)
from bluegreen.migrations.lint.own_rules import own_findings
from bluegreen.migrations.lint.rule import Rule, Weight
from bluegreen.migrations.lint.rules import find_rule
from bluegreen.migrations.lint.squawk import SquawkFinding
from bluegreen.migrations.lint.squawk_rules import ADDS_COLUMN, RESTRICTS, squawk_rule
from bluegreen.migrations.migration_file import MigrationFile
from bluegreen.migrations.statements import LineIndex, Statement
from bluegreen.model.migration import LintFinding, Phase

MAXIMUM_FINDINGS = 100
"""Of one file: those that refuse it come first."""

# Said of a column that is being added: no version knows it, and what it costs other rules say.
_OF_NEW_COLUMNS = frozenset({RESTRICTS, "ban-alter-generated-expression", "ban-alter-identity"})
_REFERS = "adding-foreign-key-constraint"
_GENERAL = "constraint-missing-not-valid"
_SPECIAL = frozenset({_REFERS, "disallowed-unique-constraint", "adding-serial-primary-key-field"})


@dataclass(frozen=True)
class Seen:
    """A file with what Squawk says of it, in the order of the text; `failure` where it could not say it."""

    file: MigrationFile
    findings: tuple[SquawkFinding, ...]
    failure: str = ""

    @cached_property
    def new(self) -> NewThings:
        """What the running version does not know after this file."""
        if self.file.migration.phase is not Phase.EXPAND:
            return NOTHING_NEW
        return read_new_things(self.file.statements, self.findings)


@dataclass(frozen=True, slots=True)
class _Draft:
    """A finding before it is known whether a comment has a say in it."""

    rule: Rule
    offset: int
    weight: Weight


def judge(seen: Seen, new: NewThings) -> list[LintFinding]:
    """What is to be said of a file; `new` is what all files add that are applied together."""
    file, phase = seen.file, seen.file.migration.phase
    made = MadeHere(file.statements)
    drafts = [*_of_squawk(seen, new, made), *_of_ours(file, made)]
    if seen.failure:
        reason = f"Squawk could not look at it: {seen.failure}."
        drafts.append(_Draft(replace(LINT_FAILED, reason=reason), 0, Weight.REFUSED))
    ignores = read_ignores(file.text, file.statements)
    kept = [kept for draft in drafts if (kept := _unless_ignored(draft, ignores, phase))]
    kept += _unused(ignores, phase)
    kept.sort(key=lambda draft: (draft.weight is not Weight.REFUSED, draft.offset))
    lines = LineIndex(file.text)
    return [_finding(draft, file, lines) for draft in kept[:MAXIMUM_FINDINGS]]


def _of_squawk(seen: Seen, new: NewThings, made: MadeHere) -> Iterator[_Draft]:
    phase, statements = seen.file.migration.phase, seen.file.statements
    starts = [each.offset for each in statements]
    added = _Ranges(each for each in seen.findings if each.rule == ADDS_COLUMN)
    special = [each.offset for each in seen.findings if each.rule in _SPECIAL]
    last_wrong = -1
    for finding in seen.findings:
        index = bisect_right(starts, finding.offset) - 1
        rule = _rule(finding)
        weight = lenient(rule.weight(phase), statements[index], finding)
        column = added.at(finding.offset)
        if column and finding.rule in _OF_NEW_COLUMNS:
            continue
        if column and finding.rule == _REFERS and not has_values(statements[index], column):
            continue  # there is nothing to be checked
        if rule.spares_new and made.is_about(statements[index]):
            continue  # it has no rows, and nobody knows it
        if finding.rule == _GENERAL and _any_between(special, finding.offset, finding.end):
            continue
        if finding.rule == SYNTAX_ERROR.name:
            if index == last_wrong:
                continue  # the parser has lost its way in this statement
            last_wrong = index
        if finding.rule == RESTRICTS and weight is Weight.REFUSED:
            weight = _weight_of_restriction(statements[index], finding, seen, new)
        if weight is not Weight.PASSED:
            yield _Draft(rule, finding.offset, weight)


def _rule(finding: SquawkFinding) -> Rule:
    if finding.rule == SYNTAX_ERROR.name:
        return replace(SYNTAX_ERROR, reason=f"It does not parse: {finding.message.rstrip('.')}.")
    return squawk_rule(finding.rule, finding.message)


def _weight_of_restriction(
    statement: Statement, finding: SquawkFinding, seen: Seen, new: NewThings
) -> Weight:
    """What another file adds may have been applied with an earlier release."""
    if restricts_only(seen.new, statement, finding):
        is_new_table = is_about(set(seen.new.tables), statement)
        fails = not is_new_table and demands_value(statement, finding, seen.file.statements)
        return Weight.REFUSED if fails else Weight.PASSED
    return Weight.TOLD if restricts_only(new, statement, finding) else Weight.REFUSED


def _of_ours(file: MigrationFile, made: MadeHere) -> Iterator[_Draft]:
    phase = file.migration.phase
    for rule, statement in own_findings(file.statements, phase, made):
        if rule.weight(phase) is not Weight.PASSED:
            yield _Draft(rule, statement.offset, rule.weight(phase))


def _unless_ignored(draft: _Draft, ignores: Ignores, phase: Phase) -> _Draft | None:
    if not ignores.cover(draft.rule.name, draft.offset):
        return draft
    if draft.rule.can_be_ignored(phase):
        return None
    reason = f"{draft.rule.reason} A squawk-ignore comment has no say in this here."
    return replace(draft, rule=replace(draft.rule, reason=reason))


def _unused(ignores: Ignores, phase: Phase) -> Iterator[_Draft]:
    for ignore in ignores.unused():
        rule = find_rule(ignore.rule)
        if rule is None:
            reason = f"There is no rule {ignore.rule!r}."
        elif rule.weight(phase) is Weight.PASSED:
            continue  # it may be there for whoever runs Squawk alone
        else:
            reason = f"Nothing here goes against {ignore.rule!r}."
        yield _Draft(replace(UNUSED_IGNORE, reason=reason), ignore.offset, Weight.TOLD)


def _finding(draft: _Draft, file: MigrationFile, lines: LineIndex) -> LintFinding:
    line, column = lines.place(draft.offset)
    rule, refused = draft.rule, draft.weight is Weight.REFUSED
    advice = rule.advice(file.migration.phase)
    return LintFinding(str(file.path), line, column, rule.name, rule.reason, advice, refused)


class _Ranges:
    """Where findings are, in the order of the text; they do not overlap."""

    def __init__(self, findings: Iterable[SquawkFinding]) -> None:
        self._findings = tuple(findings)

    def at(self, offset: int) -> SquawkFinding | None:
        """The one in which this character stands."""
        index = bisect_right(self._findings, offset, key=lambda each: each.offset) - 1
        found = self._findings[index] if index >= 0 else None
        return found if found and offset < found.end else None


def _any_between(offsets: list[int], start: int, end: int) -> bool:
    index = bisect_right(offsets, start - 1)
    return index < len(offsets) and offsets[index] < end
