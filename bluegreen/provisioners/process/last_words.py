"""What an instance that is in trouble has said last."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from bluegreen.model.secret import Secret
from bluegreen.subprocesses.redaction import Redaction

LAST_LINES = 5
"""Of its log, that are told of."""

LONGEST = 1_000
"""Characters of them: the last ones."""


def with_last_words(trouble: str, lines: str, secrets: Iterable[Secret]) -> str:
    """The trouble, and the end of what the instance has written, without the secrets that it was given. What
    each start has said anew is told once."""
    said = "\n".join(line for line, _ in groupby(Redaction(secrets).apply(lines).strip().splitlines()))
    return f"{trouble}. It said last:\n{said[-LONGEST:]}" if said else f"{trouble}, and said nothing"
