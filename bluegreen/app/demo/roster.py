"""What every person may be called at an instant, by the account of the one who writes all names: the load.

A read must find what was written last before it began, or what was written since. A version that does not
write what the other one reads, or a row that a backfill has forgotten, makes a wrong answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from bluegreen.app.demo.exchange import Answer, Failure, RequestFailed
from bluegreen.app.demo.person import name_of


@dataclass(frozen=True, slots=True)
class PersonAsked:
    """Whom a request is about. `name`: what it writes; None: it reads."""

    person: int
    name: str | None = None


class Roster:
    """Of `people` persons to begin with, numbered from 1. Writes of one person must not overlap."""

    def __init__(self, people: int) -> None:
        self._people = people
        self._names: dict[int, list[str | None]] = {}  # in the order in which they were sent
        self._settled: dict[int, int] = {}  # the place of the newest that is known to be written

    def begin(self, asked: PersonAsked) -> int:
        """A request is sent: the place in the person's names from which on they are right answers."""
        names = self._names_of(asked.person)
        if asked.name is None:
            return self._settled.get(asked.person, 0)
        names.append(asked.name)
        return len(names) - 1

    def check(self, asked: PersonAsked, since: int, answer: Answer) -> None:
        """The answer to it came. Raises RequestFailed where it does not say what it must."""
        told = _person_in(answer)
        right = self._names_of(asked.person)[since:] if asked.name is None else [asked.name]
        if told not in [(asked.person, name) for name in right]:
            owed = " or ".join(repr(name) for name in right)
            raise RequestFailed(Failure.WRONG_PERSON, f"told {told}, owed person {asked.person}: {owed}")
        if asked.name is not None:
            self._settled[asked.person] = since

    def _names_of(self, person: int) -> list[str | None]:
        first = name_of(person) if person <= self._people else None
        return self._names.setdefault(person, [first])


def _person_in(answer: Answer) -> tuple[int, str | None]:
    try:
        person = json.loads(answer.body)["person"]
        return person["id"], person["name"]
    except (ValueError, TypeError, KeyError) as error:
        raise RequestFailed(Failure.WRONG_PERSON, f"{error!r} in {answer.body[:100]!r}") from error
