"""Prometheus: a query whose one figure must compare with a threshold."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from yarl import URL

from bluegreen.gates.http_client import CannotAsk, HttpClient, NoAnswer, Request, origin
from bluegreen.gates.outcome import Outcome
from bluegreen.gates.prometheus_result import NoData, NoFigure, error_of, figure_of
from bluegreen.gates.text import quoted
from bluegreen.model.analysis import PrometheusSource
from bluegreen.model.checker import Target
from bluegreen.model.condition import Comparison
from bluegreen.model.verdict import Verdict

HOLDS: Mapping[Comparison, Callable[[float, float], bool]] = {
    Comparison.LESS: operator.lt,
    Comparison.AT_MOST: operator.le,
    Comparison.GREATER: operator.gt,
    Comparison.AT_LEAST: operator.ge,
}

# Braces are PromQL's own as well: only these are ours.
_PLACEHOLDER = re.compile(r"\{(service|version|revision|environment)\}")
_UNSAFE = re.compile(r"[\"'`\\\x00-\x1f\x7f]")


class UnsafeValue(ValueError):
    """A value that would end the string it stands in."""


async def measure_prometheus(client: HttpClient, source: PrometheusSource, target: Target) -> Outcome:
    """Passes where the comparison holds, fails where it does not; no data is inconclusive, all else an
    error. The query as it was asked is the output."""
    try:
        query = fill(source.query, target)
    except UnsafeValue as error:
        return Outcome(Verdict.ERROR, str(error))
    try:
        figure = await _ask(client, source, query)
    except NoAnswer as error:
        return Outcome(Verdict.ERROR, f"{origin(source.url)}: {error}", query)
    except NoData as error:
        return Outcome(Verdict.INCONCLUSIVE, str(error), query)
    except NoFigure as error:
        return Outcome(Verdict.ERROR, str(error), query)
    wanted = f"{source.comparison} {source.threshold:.12g}"
    if HOLDS[source.comparison](figure, source.threshold):
        return Outcome(Verdict.PASS, f"{figure:.12g} is {wanted}", query)
    return Outcome(Verdict.FAIL, f"{figure:.12g} is not {wanted}", query)


def fill(query: str, target: Target) -> str:
    """The query with the target's values. Raises UnsafeValue: a backtick string knows no escapes, so what
    cannot stand in every kind of string stands in none."""

    def value(match: re.Match[str]) -> str:
        text = str(getattr(target, match[1]))
        if _UNSAFE.search(text):
            raise UnsafeValue(f"{match[1]} {quoted(text)} cannot stand in a query")
        return text

    return _PLACEHOLDER.sub(value, query)


async def _ask(client: HttpClient, source: PrometheusSource, query: str) -> float:
    """Raises NoAnswer, NoFigure."""
    headers = {name: secret.value for name, secret in (source.headers or {}).items()}
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        url = URL(source.url) / "api" / "v1" / "query"
    except ValueError as error:
        raise CannotAsk("the address is no URL that can be asked") from error
    form = urlencode({"query": query, "timeout": f"{source.timeout:.3f}"})
    answer = await client.ask(Request("POST", url, headers, form.encode(), source.timeout))
    if answer.is_cut:
        raise NoFigure(f"the answer is longer than {len(answer.body)} bytes")
    if answer.status // 100 == 3:
        raise NoFigure(f"{origin(source.url)} answered {answer.status}, a redirect, which is not followed")
    if answer.status != 200:
        raise NoFigure(f"{origin(source.url)} answered {answer.status}: {error_of(answer.body)}")
    return figure_of(answer.body)
