"""What Prometheus answers to a query, and the one figure in it. Pure.

The format: Prometheus' documentation, "HTTP API", sections "Format overview" and "Expression query result
formats".
"""

from __future__ import annotations

import math

from bluegreen.gates.json_pointer import parse_json
from bluegreen.gates.text import quoted


class NoFigure(Exception):
    """The answer holds no figure to compare; the message says what it is instead."""


class NoData(NoFigure):
    """The query found nothing."""


def figure_of(body: bytes) -> float:
    """The figure, possibly infinite, never NaN. Raises NoFigure."""
    data = _data(body)
    kind, result = data.get("resultType"), data.get("result")
    match kind, result:
        case "scalar", list():
            return _number(result)
        case "vector", []:
            raise NoData("no data: the query's result is empty")
        case "vector", [{"value": list(sample)}]:
            return _number(sample)
        case "vector", [{"histogram": _}]:
            raise NoFigure("the result is a histogram; expected one number")
        case "vector", [_, _, *_]:
            raise NoFigure(
                f"the result has {len(result)} elements; expected one: aggregate them in the query"
            )
        case (("matrix" | "string"), _):
            raise NoFigure(f"the result is a {kind}; expected a scalar or a vector of one")
        case _:
            raise NoFigure("the answer is none of Prometheus' query API")


def error_of(body: bytes) -> str:
    """What Prometheus says is wrong, or nothing."""
    try:
        _data(body)
    except NoFigure as error:
        return str(error)
    return ""


def _data(body: bytes) -> dict[str, object]:
    try:
        answer = parse_json(body)
    except ValueError as error:
        raise NoFigure("the answer is no JSON") from error
    match answer:
        case {"status": "success", "data": dict(data)}:
            return data
        case {"status": "error", "error": str(reason)}:
            raise NoFigure(f"Prometheus says {quoted(reason)}")
        case _:
            raise NoFigure("the answer is none of Prometheus' query API")


def _number(sample: list[object]) -> float:
    """A sample is [time, "value"]."""
    match sample:
        case [_, str(text)]:
            try:
                number = float(text)
            except ValueError as error:
                raise NoFigure(f"the value is no number: {quoted(text)}") from error
            if math.isnan(number):
                raise NoFigure("the value is NaN: there was nothing to divide by, most likely")
            return number
        case _:
            raise NoFigure("the answer is none of Prometheus' query API")
