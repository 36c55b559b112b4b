"""Secrets are found wherever they stand, and what a terminal would obey is gone."""

from __future__ import annotations

import json

import pytest

from bluegreen.model.secret import Secret
from bluegreen.subprocesses.printable import printable
from bluegreen.subprocesses.redaction import Redaction


@pytest.mark.parametrize(
    ("secret", "text", "shown"),
    [
        ("hunter2", "hunter2hunter2 Hunter2", "(secret)(secret) Hunter2"),
        ("Bearer abcdef", "Bearer abcdef, bearer abcdef", "(secret), bearer (secret)"),
        ('a"b\\c', json.dumps({"x": 'a"b\\c'}), '{"x": "(secret)"}'),
        ("grün", json.dumps("grün"), '"(secret)"'),
        ("a.*b", "a.*b acb", "(secret) acb"),
        ("*/*", "*/*", "*/*"),
        ("", "text", "text"),
    ],
)
def test_redaction(secret: str, text: str, shown: str) -> None:
    assert Redaction([Secret(secret), Secret("")]).apply(text) == shown


def test_the_longest_secret_is_hidden_first() -> None:
    assert Redaction([Secret("abcd"), Secret("abcdefgh")]).apply("abcdefgh") == "(secret)"


def test_printable() -> None:
    assert (
        printable("\x1b[1;31mred\x1b[0m\x1b]0;title\x07 \x9b \ud800 grün\tx\r\ny")
        == "red]0;title  ? grün\tx\ny"
    )
