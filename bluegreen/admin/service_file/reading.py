"""The service file's text -> the catalogue, or all that is wrong with it."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bluegreen.admin.service_file.complaint import ABSENCES, place, sentence
from bluegreen.admin.service_file.document import Document, parse
from bluegreen.admin.service_file.problem import BadServiceFile, Path, Problem, render
from bluegreen.admin.service_file.service_file import ServiceFile
from bluegreen.model.catalogue import Catalogue
from bluegreen.model.conflicts import conflicts
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.gateway import Gateway

MAX_PROBLEMS = 200
"""So many are told at once; a file that has more is some other file."""

_NOTHING = object()


def read_service_file(text: str) -> Catalogue:
    """Raises BadServiceFile with every problem, each with its line and path; nothing is half read."""
    document = parse(text)
    if document.values is None and not document.problems:
        raise BadServiceFile([Problem(0, "", "The file is empty; begin with gateways: and services:.")])
    problems = {problem.path: problem for problem in reversed(document.problems)}
    catalogue = _build(document, problems)
    for fault in conflicts(catalogue):
        _note(problems, document, fault.where, fault.message)
    if problems:
        raise BadServiceFile(sorted(problems.values())[:MAX_PROBLEMS])
    return catalogue


def _build(document: Document, problems: dict[str, Problem]) -> Catalogue:
    """What can be built once the mistakes are cut out, so that those which hide behind others come to light:
    an entry is compared with its neighbours although one of its values is wrong."""
    named = _gateway_names(document.values)
    while True:
        try:
            catalogue = ServiceFile.model_validate(document.values, context={"gateways": named}).build()
        except ValidationError as invalid:
            errors = invalid.errors(include_url=False)
            for error in errors:
                path = place(error)
                if error["type"] not in ABSENCES or not _is_known(problems, path):
                    _note(problems, document, path, sentence(error))
            cut = [_cut(document.values, _wrong(error)) for error in errors]
            if not any(cut):
                return Catalogue()
        else:
            stand_ins = {name: _stand_in(name) for name in named - catalogue.gateways.keys()}
            return Catalogue({**stand_ins, **catalogue.gateways}, catalogue.services)


def _gateway_names(values: Any) -> set[str]:
    gateways = values.get("gateways") if isinstance(values, dict) else None
    return set(gateways) if isinstance(gateways, dict) else set()


def _stand_in(name: str) -> Gateway:
    """For a gateway with a mistake: a service that names it is not at fault."""
    return Gateway(name, Endpoint("127.0.0.1", 1), Endpoint("127.0.0.1", 2))


def _note(problems: dict[str, Problem], document: Document, path: Path, message: str) -> None:
    """One problem for each path: the first is the cause of the others."""
    rendered = render(path)
    problems.setdefault(rendered, Problem(document.line(path), rendered, message))


def _is_known(problems: dict[str, Problem], path: Path) -> bool:
    """Whether a problem at or below this path was noted: then the value is missing since it was cut out."""
    rendered = render(path)
    return any(noted == rendered or noted.startswith((f"{rendered}.", f"{rendered}[")) for noted in problems)


def _wrong(error: ErrorDetails) -> Path:
    """What is wrong without what the error complains of: for a missing value, that which misses it."""
    return place(error)[:-1] if error["type"] == "missing" else place(error)


def _cut(values: Any, path: Path) -> bool:
    """Take the value at `path` away, or the list whose item it is, since indices must not move; tell
    whether it was there."""
    holders = [values]
    for key in path[:-1]:
        holders.append(_step(holders[-1], key))
    for holder, key in zip(reversed(holders), reversed(path), strict=False):
        if isinstance(holder, dict):
            return holder.pop(key, _NOTHING) is not _NOTHING
    return False


def _step(holder: Any, key: str | int) -> Any:
    if isinstance(holder, dict):
        return holder.get(key)
    return holder[key] if isinstance(holder, list) and isinstance(key, int) else None
