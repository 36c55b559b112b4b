"""JSON pointers: the examples of RFC 6901, section 5, and what is wrong."""

from __future__ import annotations

import pytest

from bluegreen.gates.json_pointer import InvalidPointer, NotThere, are_equal, parse_json, resolve

DOCUMENT = {
    "foo": ["bar", "baz"],
    "": 0,
    "a/b": 1,
    "c%d": 2,
    "e^f": 3,
    "g|h": 4,
    "i\\j": 5,
    'k"l': 6,
    " ": 7,
    "m~n": 8,
    "~1": 9,
}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", DOCUMENT),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ("/i\\j", 5),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
        ("/~01", 9),
    ],
)
def test_leads_to_the_value(pointer: str, value: object) -> None:
    assert resolve(DOCUMENT, pointer) == value


@pytest.mark.parametrize(
    "pointer", ["/bar", "/foo/2", "/foo/-", "/foo/00", "/foo/-1", "/foo/0/0", "/foo/\u0660"]
)
def test_leads_nowhere(pointer: str) -> None:
    with pytest.raises(NotThere):
        resolve(DOCUMENT, pointer)


@pytest.mark.parametrize("pointer", ["foo", " /foo", "/~", "/~2", "/a~"])
def test_is_no_pointer(pointer: str) -> None:
    with pytest.raises(InvalidPointer):
        resolve(DOCUMENT, pointer)


def test_equality_is_that_of_json() -> None:
    assert are_equal({"a": [1, None], "b": "x"}, {"b": "x", "a": [1.0, None]})
    for one, other in (
        (1, True),
        (0, False),
        ([0], [False]),
        ("1", 1),
        (None, False),
        ([1], [1, 1]),
        ({}, []),
    ):
        assert not are_equal(one, other)


@pytest.mark.parametrize("text", ["", "NaN", "-Infinity", "[" * 100_000, "{'a': 1}", "1" * 10_000])
def test_is_no_json(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)
