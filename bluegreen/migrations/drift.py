"""What was done to a schema by other hands: two snapshots compared. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set

Objects = Mapping[str, str]
"""A schema: each object, its kind before its name (`column public.people.name`), with what it is."""

TABLE, COLUMN, INDEX = "table", "column", "index"
REINDEX_LEFTOVER = "_cc(new|old)[0-9]*$"
"""The names of what REINDEX CONCURRENTLY builds beside an index, and leaves invalid where it fails."""

_IN_PASSING = re.compile(REINDEX_LEFTOVER)
_OF_TABLES = {COLUMN, INDEX, "constraint", "trigger"}


def drift(then: Objects, now: Objects, own_indexes: Set[str] = frozenset()) -> tuple[str, ...]:
    """Sentences, without full stops, on what has changed. `own_indexes` are the names of those that a file
    of ours may have begun to build or to drop: no state of them is drift."""
    return tuple(_differences(_without(then, own_indexes), _without(now, own_indexes)))


def _without(objects: Objects, indexes: Set[str]) -> Objects:
    """Nor is what REINDEX CONCURRENTLY builds in passing a part of the schema, whoever runs it."""

    def is_schema(key: str) -> bool:
        name = key.rpartition(".")[2]
        return not key.startswith(f"{INDEX} ") or not (name in indexes or _IN_PASSING.search(name))

    return {key: what for key, what in objects.items() if is_schema(key)}


def _differences(then: Objects, now: Objects) -> Iterator[str]:
    for key in sorted(then.keys() | now.keys()):
        if key not in now:
            if _table_of(key, then) in now or _table_of(key, then) is None:
                yield f"{key} was dropped"
        elif key not in then:
            if _table_of(key, now) in then or _table_of(key, now) is None:
                yield f"{key} was added ({now[key]})"
        elif then[key] != now[key]:
            yield f"{key} is {now[key]} now, was {then[key]}"


def _table_of(key: str, objects: Objects) -> str | None:
    """The table that it came, or went, with; None: it stands alone."""
    kind, _, name = key.partition(" ")
    table = f"{TABLE} {name.rpartition('.')[0]}"
    return table if kind in _OF_TABLES and table in objects else None
