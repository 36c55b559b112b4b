"""What a file creates itself: no version knows it yet, and nothing that is done to it can break one. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from bluegreen.migrations.lint.own_rule import NAME
from bluegreen.migrations.statements import Statement

_THING = rf"(?P<name>{NAME}(?: \. {NAME})*+)"
_RELATION = r"(?:FOREIGN |MATERIALIZED )?(?:TABLE|VIEW)|SEQUENCE"  # they share their names
_ROUTINE = "FUNCTION|PROCEDURE|ROUTINE|AGGREGATE"
_OTHER = r"TYPE|DOMAIN|SCHEMA|SERVER|TEXT SEARCH \w+"
_KIND = rf"(?P<kind>{_RELATION}|{_ROUTINE}|{_OTHER})"

_UP_TO_ON = "(?:(?! ON ).)*+ ON "

_CREATES = re.compile(
    r"CREATE (?:(?:(?:GLOBAL |LOCAL )?TEMP(?:ORARY)?|UNLOGGED|RECURSIVE) )?"
    rf"{_KIND} (?!IF NOT EXISTS ){_THING}(?P<rest>.*)"
)
_SUBJECTS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"ALTER {_KIND} (?:IF EXISTS )?(?:ONLY )?{_THING}(?P<rest>.*)",
        rf"DROP {_KIND} (?:IF EXISTS )?{_THING}(?P<rest>(?: \((?:(?!\) ,).)*\))?)(?: CASCADE| RESTRICT)?$",
        rf"REVOKE {_UP_TO_ON}(?:{_KIND} )?{_THING}(?P<rest>(?: \((?:(?!\) ,).)*\))?) FROM ",
        rf"(?:CREATE|ALTER|DROP) POLICY (?:IF EXISTS )?{NAME} ON {_THING}",
        rf"CREATE (?:OR REPLACE )?(?:CONSTRAINT )?TRIGGER {_UP_TO_ON}{_THING}",
        rf"CREATE (?:OR REPLACE )?RULE {NAME} AS ON \w+ TO {_THING}",
        rf"(?:ALTER|DROP) (?:TRIGGER|RULE) (?:IF EXISTS )?{NAME} ON {_THING}",
        rf"CREATE (?:UNIQUE )?INDEX {_UP_TO_ON}(?:ONLY )?{_THING}",
    )
)
_CAST = re.compile(rf"CREATE CAST \( (?P<source>{NAME}(?: \. {NAME})*+) AS (?P<target>[^()]*?) \)")
_IS_GONE = re.compile(r"^DROP\b| (?:RENAME TO|SET SCHEMA) ")
_MODES = frozenset({"IN", "OUT", "INOUT", "VARIADIC"})

MAXIMUM_OVERLOADS = 100
"""Routines of one name in one file, of which it is known what they are."""

_Key = tuple[str, str]
_Arguments = tuple[tuple[str, ...], ...]


class MadeHere:
    """`is_about` a statement: all that it does is done to a thing that an earlier one has created."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        self._about: set[int] = set()  # offsets of statements
        made: dict[_Key, list[_Arguments | None]] = {}
        for statement in statements:
            if statement.words[:1] == ("SET",) and "SEARCH_PATH" in statement.skeleton:
                made.clear()  # names lead elsewhere from here on
            for key, arguments in _subjects(statement):
                if any(arguments is None or _are_of(arguments, others) for others in made.get(key, ())):
                    self._about.add(statement.offset)
                    if _IS_GONE.search(statement.skeleton):
                        del made[key]  # the name may be that of another one from here on
            if found := _CREATES.match(statement.skeleton):
                key = _key(found["kind"], found["name"])
                others = made.setdefault(key, [])
                if len(others) < MAXIMUM_OVERLOADS:
                    others.append(_arguments(found["rest"]) if key[0] == "routine" else None)

    def is_about(self, statement: Statement) -> bool:
        return statement.offset in self._about


def normal(name: str) -> str:
    """A name as PostgreSQL keeps it, with its schema if it stands with one."""
    parts = name.split(" . ")
    return ".".join(part[1:-1] if part.startswith('"') else part.lower() for part in parts)


def _key(kind: str | None, name: str) -> _Key:
    if kind is None or re.fullmatch(_RELATION, kind):
        kind = "relation"
    elif re.fullmatch(_ROUTINE, kind):
        kind = "routine"
    return kind, normal(name)


def _subjects(statement: Statement) -> Iterator[tuple[_Key, _Arguments | None]]:
    """What it is about; with the arguments that tell a routine from others of its name."""
    if " ATTACH PARTITION " in statement.skeleton:
        return  # it is about the partition as well
    for pattern in _SUBJECTS:
        if found := pattern.match(statement.skeleton):
            groups = found.groupdict()
            key = _key(groups.get("kind"), found["name"])
            yield key, _arguments(groups["rest"]) if key[0] == "routine" else None
    if cast := _CAST.match(statement.skeleton):
        for name in cast.groups():
            yield ("TYPE", normal(name)), None
            yield ("DOMAIN", normal(name)), None


def _arguments(rest: str) -> _Arguments | None:
    """Those in the parentheses that follow a routine's name, each without its mode and default; None where
    there are none: then PostgreSQL takes the one routine of this name, if it is the only one."""
    if not rest.startswith(" ("):
        return None
    arguments: list[list[str]] = [[]]
    depth = 0
    for word in rest.split():
        depth += (word == "(") - (word == ")")
        if depth == 0:
            break
        if depth == 1 and word == ",":
            arguments.append([])
        elif (depth, word) != (1, "("):
            arguments[-1].append(word)
    return tuple(_type_of(each) for each in arguments if each)


def _type_of(argument: list[str]) -> tuple[str, ...]:
    end = next((at for at, word in enumerate(argument) if word in ("DEFAULT", "=")), len(argument))
    return tuple(argument[1 if argument[0] in _MODES else 0 : end])


def _are_of(arguments: _Arguments, made: _Arguments | None) -> bool:
    """Whether they are those that a routine was created with, where each may have a name before its type."""
    if made is None or len(arguments) != len(made):
        return False
    return all(mine in (other, other[1:]) for mine, other in zip(arguments, made, strict=True))
