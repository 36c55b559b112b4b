"""What code hosts are told of findings, against what their specifications demand.

The schemas beside this were written from the specifications' texts: SARIF 2.1.0 (OASIS), by section, and
GitLab's "Code Quality report format".
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from bluegreen.migrations.lint.code_hosts import github, gitlab, sarif
from bluegreen.migrations.lint.rules import ALL_RULES
from bluegreen.model.migration import LintFinding

SCHEMAS = Path(__file__).parent / "schemas"

FINDINGS = (
    LintFinding("db/0001_a.expand.sql", 1, 26, "ban-drop-column", "It breaks.", "Wait.", refused=True),
    LintFinding("db/0001_a.expand.sql", 9, 1, "ban-drop-column", "It breaks.", "Wait.", refused=True),
    LintFinding("db/0002_b.expand.sql", 3, 1, "of-a-later-squawk", "It says so.", refused=False),
    LintFinding(
        "db/not ours ä,:%\r\n<1>[].sql", 1, 1, "file-name", "'ä,:%\r\n' is no name.", "100 %: other."
    ),
    *(
        LintFinding(f"db/{number:04}_x.expand.sql", number, 1, rule.name, rule.reason, rule.safe_way)
        for number, rule in enumerate(ALL_RULES, start=10)
    ),
)


PLACE = ("runs", 0, "results", 0, "locations", 0, "physicalLocation")


def mistakes(schema: str, path: Path, report: str) -> str:
    """What is wrong with a report; empty: nothing."""
    file = path / "report.json"
    file.write_text(report)
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--schemafile", str(SCHEMAS / schema), str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if checked.returncode == 0 else checked.stdout + checked.stderr


@pytest.mark.parametrize("findings", [FINDINGS, ()])
@pytest.mark.parametrize(("form", "schema"), [(sarif, "sarif.json"), (gitlab, "code_quality.json")])
def test_a_report_is_as_its_specification_demands(
    tmp_path: Path,
    form: Callable[[Iterable[LintFinding]], str],
    schema: str,
    findings: tuple[LintFinding, ...],
) -> None:
    assert mistakes(schema, tmp_path, form(findings)) == ""


# One mistake in each object: were it not found, nothing would be proved above.
MISTAKES: list[tuple[str, tuple[str | int, ...], object]] = [
    ("sarif.json", ("version",), "2.0.0"),
    ("sarif.json", ("runs", 0, "columnKind"), "bytes"),
    ("sarif.json", ("runs", 0, "tool", "driver", "name"), ""),
    ("sarif.json", ("runs", 0, "tool", "driver", "rules", 0, "id"), None),
    ("sarif.json", ("runs", 0, "results", 0, "level"), "critical"),
    ("sarif.json", ("runs", 0, "results", 0, "message", "text"), ""),
    ("sarif.json", (*PLACE, "artifactLocation", "uri"), "db/not ours.sql"),
    ("sarif.json", (*PLACE, "region", "startLine"), 0),
    ("code_quality.json", (0, "severity"), "error"),
    ("code_quality.json", (0, "fingerprint"), ""),
    ("code_quality.json", (0, "location", "path"), "./db/0001_a.expand.sql"),
    ("code_quality.json", (0, "location", "lines", "begin"), "1"),
]


@pytest.mark.parametrize(("schema", "path", "wrong"), MISTAKES)
def test_the_schemas_find_mistakes(
    tmp_path: Path, schema: str, path: tuple[str | int, ...], wrong: object
) -> None:
    form = sarif if schema == "sarif.json" else gitlab
    report: Any = json.loads(form(FINDINGS[:1]))
    holder = report
    for key in path[:-1]:
        holder = holder[key]
    assert holder[path[-1]] != wrong
    holder[path[-1]] = wrong
    assert mistakes(schema, tmp_path, json.dumps(report)) != ""


def test_results_refer_to_their_rules() -> None:
    """SARIF 3.27.6: the index and the identifier name the same rule, and no rule is there twice."""
    (run,) = json.loads(sarif(FINDINGS))["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(set(rules)) == len(rules)
    assert [rules[each["ruleIndex"]] for each in run["results"]] == [each.rule for each in FINDINGS]


def test_fingerprints_tell_findings_apart() -> None:
    report = json.loads(gitlab(FINDINGS))
    assert len({each["fingerprint"] for each in report}) == len(FINDINGS)


# How the runner of GitHub Actions reads a command's line, `::NAME KEY=VALUE,KEY=VALUE::MESSAGE`.
COMMAND = re.compile(r"::(?P<name>\w+) (?P<properties>[^\r\n]*?)::(?P<message>[^\r\n]*)")
IN_MESSAGES = {"%25": "%", "%0D": "\r", "%0A": "\n"}
IN_PROPERTIES = IN_MESSAGES | {"%3A": ":", "%2C": ","}


def unescaped(text: str, escapes: dict[str, str]) -> str:
    return re.sub("%[0-9A-F]{2}", lambda found: escapes[found[0]], text)


def test_a_workflow_command_says_what_was_found_whatever_it_is() -> None:
    lines = github(FINDINGS).split("\n")
    assert len(lines) == len(FINDINGS)
    for line, finding in zip(lines, FINDINGS, strict=True):
        found = COMMAND.fullmatch(line)
        assert found is not None
        properties = dict(each.split("=", 1) for each in found["properties"].split(","))
        assert {key: unescaped(value, IN_PROPERTIES) for key, value in properties.items()} == {
            "file": finding.file,
            "line": str(finding.line),
            "col": str(finding.column),
            "title": finding.rule,
        }
        assert found["name"] == ("error" if finding.refused else "warning")
        message = unescaped(found["message"], IN_MESSAGES)
        assert message == f"{finding.reason} {finding.safe_way}".rstrip()
