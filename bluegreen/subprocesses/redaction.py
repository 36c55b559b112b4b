"""What others wrote, without the secrets that they were told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from bluegreen.model.secret import SHOWN, Secret

SHORTEST_SECRET, SHORTEST_PART = 4, 6
"""Characters. What is shorter keeps nothing secret, and would blot out half of every text (`1`, `*/*`)."""


class Redaction:
    """Puts `(secret)` where one of these stands, or one of its words (`Bearer ...`), also as JSON writes it.

    Apply it before a text is cut: half a secret is not found any more.
    """

    def __init__(self, secrets: Iterable[Secret]) -> None:
        values = [secret.value.strip() for secret in secrets if len(secret.value.strip()) >= SHORTEST_SECRET]
        parts = [part for value in values for part in value.split() if len(part) >= SHORTEST_PART]
        plain = {*values, *parts}
        hidden = sorted(plain | {json.dumps(text)[1:-1] for text in plain}, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, hidden))) if hidden else None

    def apply(self, text: str) -> str:
        return self._pattern.sub(SHOWN, text) if self._pattern else text
