"""migrations lint: the real command, by itself, as CI runs it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.admin.conftest import Ended, Start

Lint = Callable[..., Awaitable[Ended]]

UNSAFE = "-- the name in two\nALTER TABLE people\n  ADD COLUMN first_name text,\n  DROP COLUMN name;\n"
TOLD = "CREATE TABLE codes (code int);\n"
FILE = "db/migrations/0002_split_name.expand.sql"


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An application's repository, in which CI is."""
    monkeypatch.chdir(tmp_path)
    migrations = tmp_path / "db/migrations"
    migrations.mkdir(parents=True)
    (migrations / "0001_codes.expand.sql").write_text(TOLD)
    (migrations / "0002_split_name.expand.sql").write_text(UNSAFE)
    return migrations


@pytest.fixture
def lint(start: Start, directory: Path) -> Lint:
    """Without a control plane."""

    async def lint(*arguments: str, of: str = "db/migrations") -> Ended:
        return await (await start("migrations", "lint", *arguments, of)).ends()

    return lint


async def test_a_person_sees_the_line_the_reason_and_the_safe_way(lint: Lint) -> None:
    ended = await lint()
    assert ended.code == 1
    assert ended.out == (
        "db/migrations/0001_codes.expand.sql:1:26: told  prefer-bigint-over-int\n"
        "  1 | CREATE TABLE codes (code int);\n"
        "    |                          ^\n"
        "  An integer ends at 2,147,483,647.\n"
        "  Safe way: Use bigint.\n"
        "\n"
        f"{FILE}:4:3: refused  ban-drop-column\n"
        "  4 |   DROP COLUMN name;\n"
        "    |   ^\n"
        "  The running version may still use the column.\n"
        "  Safe way: Do it in the contract of this change, once no version that uses it runs.\n"
        "\n"
        "2 files: 1 finding would be refused, 1 told.\n"
    )


async def test_a_directory_that_is_fine_is_said_to_be(lint: Lint, directory: Path) -> None:
    (directory / "0002_split_name.expand.sql").write_text("ALTER TABLE people ADD COLUMN first_name text")
    ended = await lint()
    assert (ended.code, ended.out.splitlines()[-1]) == (0, "2 files: nothing would be refused, 1 told.")
    (directory / "0001_codes.expand.sql").unlink()
    assert (await lint()).out == "1 file: nothing is wrong.\n"
    (directory / "0002_split_name.expand.sql").unlink()
    ended = await lint()
    assert (ended.code, ended.out) == (
        2,
        "There are no migrations: no file is named NUMBER_NAME.PHASE.sql.\n",
    )


async def test_paths_are_relative_to_where_ci_is(lint: Lint, directory: Path, tmp_path: Path) -> None:
    for of in (str(directory), "./db/../db/migrations/", "db/migrations"):
        assert f"\n{FILE}:4:3:" in (await lint(of=of)).out
    os.chdir(tmp_path / "db")
    assert f"\n{FILE.removeprefix('db/')}:4:3:" in (await lint(of="../db/migrations")).out


async def test_github_shows_it_beside_the_line(lint: Lint) -> None:
    ended = await lint("--format", "github")
    assert ended.code == 1
    warning, error, summary = ended.out.splitlines()
    assert warning.startswith(
        "::warning file=db/migrations/0001_codes.expand.sql,line=1,col=26,title=prefer-"
    )
    assert error == (
        f"::error file={FILE},line=4,col=3,title=ban-drop-column::"
        "The running version may still use the column. "
        "Do it in the contract of this change, once no version that uses it runs."
    )
    assert summary == "2 files: 1 finding would be refused, 1 told."


async def test_what_a_file_is_called_ends_no_workflow_command(lint: Lint, directory: Path) -> None:
    (directory / "a,b:c%\n::error::x.sql").touch()
    (line,) = [line for line in (await lint("--format", "github")).out.splitlines() if "file-name" in line]
    assert "file=db/migrations/a%2Cb%3Ac%25%0A%3A%3Aerror%3A%3Ax.sql,line=1" in line
    assert not re.search("^::error::", (await lint("--format", "github")).out, re.MULTILINE)


async def test_gitlab_shows_it_beside_the_line(lint: Lint, directory: Path) -> None:
    ended = await lint("--format", "gitlab")
    assert ended.code == 1
    told, refused = json.loads(ended.out)
    assert (told["severity"], refused["severity"]) == ("minor", "critical")
    assert refused["check_name"] == "ban-drop-column"
    assert refused["location"] == {"path": FILE, "lines": {"begin": 4}}
    assert refused["description"].startswith("The running version may still use the column. Do it in")
    assert len({told["fingerprint"], refused["fingerprint"]}) == 2
    (directory / "0002_split_name.expand.sql").write_text(f"\n\n{UNSAFE}")
    _, moved = json.loads((await lint("--format", "gitlab")).out)
    assert (moved["fingerprint"], moved["location"]["lines"]["begin"]) == (refused["fingerprint"], 6)


async def test_sarif_has_rules_and_results(lint: Lint, directory: Path) -> None:
    (directory / "not ours ä.sql").touch()
    ended = await lint("--format", "sarif")
    assert ended.code == 1
    report = json.loads(ended.out)
    assert report["version"] == "2.1.0"
    (run,) = report["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == ["ban-drop-column", "file-name", "prefer-bigint-over-int"]
    assert [rules[each["ruleIndex"]] for each in run["results"]] == [
        each["ruleId"] for each in run["results"]
    ]
    by_rule = {each["ruleId"]: each for each in run["results"]}
    refused = by_rule["ban-drop-column"]
    assert refused["level"] == "error"
    assert refused["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": FILE},
        "region": {"startLine": 4, "startColumn": 3},
    }
    uri = by_rule["file-name"]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert (uri.isascii(), unquote(uri)) == (True, "db/migrations/not ours ä.sql")


@pytest.mark.parametrize("how", [("-o", "json"), ("--format", "json"), ("--format", "json", "-o", "table")])
async def test_a_program_is_told_as_by_plan(lint: Lint, how: tuple[str, ...]) -> None:
    ended = await lint(*how)
    assert ended.code == 1
    told, refused = json.loads(ended.out)["findings"]
    assert refused == {
        "file": FILE,
        "line": 4,
        "column": 3,
        "rule": "ban-drop-column",
        "reason": "The running version may still use the column.",
        "safe_way": "Do it in the contract of this change, once no version that uses it runs.",
        "refused": True,
    }
    assert told["refused"] is False


async def test_an_empty_report_is_a_report(lint: Lint, directory: Path) -> None:
    for file in directory.iterdir():
        file.unlink()
    assert json.loads((await lint("--format", "gitlab")).out) == []
    assert json.loads((await lint("--format", "sarif")).out)["runs"][0]["results"] == []
    assert json.loads((await lint("-o", "json")).out) == {"findings": []}


async def test_usage_errors(lint: Lint) -> None:
    ended = await lint(of="db/nowhere")
    assert ended.code == 2
    assert (
        ended.err == "Error: The migrations directory db/nowhere cannot be read: No such file or directory.\n"
    )
    ended = await lint("--pg-version", "new")
    assert ended.code == 2
    assert "'new' is no version of PostgreSQL" in ended.err


async def test_the_version_of_the_server_counts(lint: Lint, directory: Path) -> None:
    (directory / "0002_split_name.expand.sql").write_text("ALTER TABLE people ADD a float8 DEFAULT pi()")
    assert (await lint("--pg-version", "18")).code == 0
    assert (await lint("--pg-version", "10.23")).code == 1


async def test_a_terminal_is_not_moved_by_what_a_file_says(lint: Lint, directory: Path) -> None:
    evil = f'DROP TABLE a; -- \x1b[2J\x07 {"x" * 200}\r\n{" " * 300}DROP TABLE "日本"; DROP TABLE c;'
    (directory / "0002_split_name.expand.sql").write_text(evil)
    out = (await lint()).out
    assert out.replace("\n", "").isprintable()
    marked = re.findall(r"^  \d+ \| (.*)\n {2,} \| ( *)\^$", out, re.MULTILINE)
    assert [line[len(spaces) :][:12] for line, spaces in marked[1:3]] == ["DROP TABLE a", 'DROP TABLE "']
    (directory / os.fsdecode(b"\xff.sql")).touch()
    for form in ("text", "github", "gitlab", "sarif", "json"):
        assert (await lint("--format", form)).code == 1


async def test_what_is_applied_is_left_out(lint: Lint) -> None:
    ended = await lint("--from", "3")
    assert (ended.code, ended.out) == (0, "There are no migrations from that number on.\n")
    assert (await lint("--from", "2")).out.endswith("\n1 file: 1 finding would be refused.\n")
    assert (await lint("--from", "0")).code == 2
