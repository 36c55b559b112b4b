"""The pages walk through every verb, with what it said when the walk was recorded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bluegreen.app.cli import main

DOCS = Path(__file__).parents[2] / "docs"
WALKS = {
    page: (DOCS / page).read_text().partition("<!-- walk -->")[2].partition("<!-- end of walk -->")[0]
    for page in ("operating.md", "environments.md")
}
FILES = {"operating.md": "services.yaml", "environments.md": "with-instances.yaml"}

_COMMAND = re.compile(
    r"^\$ bluegreen (?P<verb>[a-z]+)(?P<rest>.*)\n(?P<said>(?:(?!\$ |```).*\n)*)", re.MULTILINE
)
ELSEWHERE = {"serve", "demo", "migrations"}
"""What runs something and asks for nothing, and what is for a database."""

RUN = [match.groupdict() for walk in WALKS.values() for match in _COMMAND.finditer(walk)]


@pytest.mark.parametrize("verb", sorted(main.commands.keys() - ELSEWHERE))
def test_each_verb_is_walked_through_and_has_said_something(verb: str) -> None:
    runs = [each for each in RUN if each["verb"] == verb]
    assert runs, f"{verb} is in no walk: write it there, and run docs/walk/record.py"
    assert any(each["said"] or ">" in each["rest"] for each in runs)


@pytest.mark.parametrize(
    "flag", ["--full", "--watch", "--follow", "--prune", "--dry-run", "--timeout", "--yes"]
)
def test_flags_that_need_showing_are_shown(flag: str) -> None:
    assert any(flag in each["rest"] for each in RUN)


def test_nothing_of_the_machine_that_recorded_it_is_left() -> None:
    said = "".join(each["said"] for each in RUN)
    assert "Traceback" not in said
    assert not re.search(r"/(?:tmp|home|work|root)/", said)


@pytest.mark.parametrize("page", WALKS)
def test_the_file_that_is_shown_is_the_one_that_was_applied(page: str) -> None:
    file = (DOCS / "walk" / FILES[page]).read_text()
    assert f"$ cat services.yaml\n{file}$ " in WALKS[page]
