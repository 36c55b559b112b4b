"""What the pages say can be followed: links, commands, SQL, metrics."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import aiosqlite
import click
import pytest

from bluegreen.app.cli import main
from deployment_store import SqliteStore

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

_LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)|<img[^>]* src=\"([^\"]+)\"")
_CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
_SHELL = {">", "2>", "&", "|"}
_SQL = re.compile(r"```sql\n(.*?)```", re.DOTALL)


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _anchors(page: Path) -> set[str]:
    """As GitHub makes them from headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for markdown, image in _LINK.findall(page.read_text()):
        target, _, anchor = (markdown or image).partition("#")
        if target.startswith(("http://", "https://")):
            continue
        path = (page.parent / target) if target else page
        if not path.exists() or (anchor and anchor not in _anchors(path)):
            broken.append(markdown or image)

    assert broken == []


def _commands() -> Iterator[tuple[str, list[str]]]:
    for page in PAGES:
        for block in _CONSOLE.findall(page.read_text()):
            for line in block.replace("\\\n", " ").splitlines():
                if line.startswith("$ bluegreen"):
                    words = shlex.split(line.removeprefix("$ bluegreen"), comments=True)
                    yield _name(page), list(takewhile(lambda word: word not in _SHELL, words))


@pytest.mark.parametrize(("page", "words"), list(_commands()), ids=lambda each: str(each)[:60])
def test_commands_have_such_verbs_and_flags(page: str, words: list[str], tmp_path: Path) -> None:
    """Read by the real command line, which checks names and values; nothing is run."""
    here = tmp_path / "services.yaml"
    here.write_text("")
    words = [str(here) if word.endswith(".yaml") else word for word in words]

    command: click.Command = main
    context = main.make_context("bluegreen", list(words), resilient_parsing=True)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        assert found is not None, f"{page}: there is no verb {words[0]}"
        command, words = found, words[1:]

    command.make_context("bluegreen", words).close()


async def test_sql_is_understood_by_the_store(tmp_path: Path) -> None:
    statements = [
        statement.strip()
        for page in PAGES
        for block in _SQL.findall(page.read_text())
        for statement in block.split(";")
        if statement.strip()
    ]
    assert statements

    file = tmp_path / "bluegreen.db"
    async with SqliteStore.open(file), aiosqlite.connect(file) as reader:
        for statement in statements:
            await reader.execute_fetchall(statement)


def test_metrics_that_are_named_are_those_of_the_dashboard() -> None:
    """Which test_dashboard holds against what is exported."""
    dashboard = (ROOT / "grafana/bluegreen.json").read_text()
    named = {
        name
        for page in PAGES
        if page.parent == ROOT / "docs"
        for name in re.findall(r"`(bluegreen_[a-z0-9_]+)", page.read_text())
    }

    assert named
    assert {name for name in named if name not in dashboard} == set()
