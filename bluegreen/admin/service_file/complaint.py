"""What pydantic found -> a path and a sentence."""

from __future__ import annotations

import types
from difflib import get_close_matches
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from bluegreen.admin.service_file.entry import INCOMPLETE
from bluegreen.admin.service_file.problem import Path, quote
from bluegreen.admin.service_file.service_file import ServiceFile

ABSENCES = ("missing", INCOMPLETE)
"""What may be missing only since it was wrong and has been cut out."""

_KINDS = {
    "model_type": "a mapping of keys to values",
    "dict_type": "a mapping of keys to values",
    "list_type": "a list",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "string_type": "a text",
}


def place(error: ErrorDetails) -> Path:
    """Where in the file; a complaint about a key itself carries a mark that is no part of the path."""
    return tuple(part for part in error["loc"] if part != "[key]")


def sentence(error: ErrorDetails) -> str:
    kind = _KINDS.get(error["type"])
    if kind is not None:
        return f"must be {kind}, not {_shown(error)}."
    if error["type"] == INCOMPLETE:
        return error["msg"]
    match error["type"]:
        case "missing":
            return "is missing."
        case "extra_forbidden":
            return _unknown_key(place(error))
        case "value_error":
            return str(error["ctx"]["error"])
        case "too_short":
            return "must not be empty."
        case "string_too_short":
            return "must not be empty."
        case "string_too_long":
            return f"is too long: at most {error['ctx']['max_length']} characters."
        case "too_long":
            return f"has too many entries: at most {error['ctx']['max_length']}."
        case _:
            return f"{error['msg'].replace('Input should be', 'must be')}, not {quote(error['input'])}."


def _shown(error: ErrorDetails) -> str:
    """A text in place of a mapping may be the URL of a webhook: it is a secret."""
    of_mapping = error["type"] in ("model_type", "dict_type")
    return "a text" if of_mapping and isinstance(error["input"], str) else quote(error["input"])


def _unknown_key(path: Path) -> str:
    known = sorted(_keys(path[:-1]))
    near = get_close_matches(str(path[-1]), known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}."
    return f"There is no such key; {hint}"


def _keys(path: Path) -> set[str]:
    """The keys that an entry may have."""
    here: Any = ServiceFile
    for part in path:
        here = _entry(_below(here, part))
    return set(_fields(here))


def _fields(entry: type[BaseModel]) -> dict[str, Any]:
    """The type of each key, by its name in the file."""
    return {field.alias or name: field.annotation for name, field in entry.model_fields.items()}


def _below(kind: Any, part: str | int) -> Any:
    """The type of what stands under a key or at an index."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _fields(kind)[str(part)]
    return get_args(kind)[-1]  # of a list or dict: its values


def _entry(kind: Any) -> Any:
    """The type without its annotations and its None."""
    if hasattr(kind, "__metadata__"):
        return _entry(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        return _entry(next(each for each in get_args(kind) if each is not type(None)))
    return kind
