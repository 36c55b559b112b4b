from __future__ import annotations

import pytest

from bluegreen.model.duration import format_duration, parse_duration
from bluegreen.model.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("150ms", 0.15),
        ("15s", 15),
        ("30m", 1800),
        ("1h", 3600),
        ("2d", 172800),
        ("0", 0),
        ("1.5", 1.5),
        ("366d", 31622400),
    ],
)
def test_it_is_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "1 s", "-1s", "1w", "1e3", "inf", "٣s", "367d", "9" * 13])
def test_it_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_duration(text)


@pytest.mark.parametrize("text", ["0s", "150ms", "15s", "90s", "30m", "1h", "25h", "2d", "1500ms", "0.0001s"])
def test_it_is_written_as_short_as_it_was_read(text: str) -> None:
    assert format_duration(parse_duration(text)) == text
