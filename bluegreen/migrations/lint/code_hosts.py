"""Findings as code hosts show them beside the line that they are about. Pure.

Paths are as in the findings: code hosts want them relative to the repository's root.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePath
from urllib.parse import quote

from bluegreen import __version__
from bluegreen.migrations.lint.rules import find_rule
from bluegreen.model.migration import LintFinding

_TOOL = "bluegreen migrations lint"
_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def github(findings: Iterable[LintFinding]) -> str:
    """Workflow commands of GitHub Actions, one a line."""
    return "\n".join(
        f"::{'error' if each.refused else 'warning'} file={_property(each.file)},line={each.line},"
        f"col={each.column},title={_property(each.rule)}::{_data(_message(each))}"
        for each in findings
    )


def gitlab(findings: Iterable[LintFinding]) -> str:
    """A Code Quality report of GitLab: the artifact `reports:codequality`."""
    seen: Counter[str] = Counter()
    report = []
    for each in findings:
        # The same wherever lines before it come and go; another for each of several of a kind.
        key = f"{each.file} {each.rule}"
        seen[key] += 1
        report.append(
            {
                "description": _message(each),
                "check_name": each.rule,
                "fingerprint": hashlib.sha256(f"{key} {seen[key]}".encode()).hexdigest(),
                "severity": "critical" if each.refused else "minor",
                "location": {"path": each.file, "lines": {"begin": each.line}},
            }
        )
    return json.dumps(report, indent=2)


def sarif(findings: Iterable[LintFinding]) -> str:
    """SARIF 2.1.0, the format of OASIS that GitHub's code scanning and most editors read."""
    findings = tuple(findings)
    names = sorted({each.rule for each in findings})
    driver = {"name": _TOOL, "version": __version__, "rules": [_sarif_rule(name) for name in names]}
    results = [
        {
            "ruleId": each.rule,
            "ruleIndex": names.index(each.rule),
            "level": "error" if each.refused else "warning",
            "message": {"text": _message(each)},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": _uri(each.file)},
                        "region": {"startLine": each.line, "startColumn": each.column},
                    }
                }
            ],
        }
        for each in findings
    ]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _sarif_rule(name: str) -> dict[str, object]:
    rule = find_rule(name)
    if rule is None:  # of a Squawk that is newer than this
        return {"id": name}
    return {
        "id": name,
        "shortDescription": {"text": rule.reason},
        "help": {"text": rule.safe_way or rule.reason},
    }


def _message(finding: LintFinding) -> str:
    return f"{finding.reason} {finding.safe_way}".rstrip()


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _uri(file: str) -> str:
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
