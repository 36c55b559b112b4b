"""The people of the demo's database, and what each is called: made up, and the same in every run."""

from __future__ import annotations

SOME = 10
"""One person in so many has a name of one word, and another one a name of three."""


def name_of(person: int, generation: int = 0) -> str:
    """A name by which both halves are known to belong together: to that person, and to the same write of it.
    Generation 0 is what the table begins with."""
    mark = f"{person}.{generation}"
    match person % SOME:
        case 0:
            return f"Cher-{mark}"
        case 1:
            return f"Anna-{mark} van der Berg-{mark}"
        case _:
            return f"Anna-{mark} Berg-{mark}"
