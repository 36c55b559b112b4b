"""Prometheus' answers: the one figure in them, or what is there instead."""

from __future__ import annotations

import json
import math

import pytest

from bluegreen.gates.prometheus_result import NoData, NoFigure, figure_of


def answer(kind: str, result: object) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}}).encode()


@pytest.mark.parametrize(
    ("kind", "result", "figure"),
    [
        ("scalar", [1.5, "2"], 2.0),
        ("vector", [{"metric": {"job": "x"}, "value": [1.5, "0.25"]}], 0.25),
        ("vector", [{"metric": {}, "value": [1, "1e-3"]}], 0.001),
        ("scalar", [1, "+Inf"], math.inf),
        ("scalar", [1, "-Inf"], -math.inf),
    ],
)
def test_a_figure(kind: str, result: object, figure: float) -> None:
    assert figure_of(answer(kind, result)) == figure


def test_no_data() -> None:
    with pytest.raises(NoData):
        figure_of(answer("vector", []))


SAMPLE = {"metric": {}, "value": [1, "1"]}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (answer("vector", [SAMPLE, SAMPLE]), "the result has 2 elements; expected one"),
        (answer("scalar", [1, "NaN"]), "the value is NaN"),
        (answer("scalar", [1, "one"]), "the value is no number: 'one'"),
        (answer("scalar", [1, 1]), "none of Prometheus' query API"),
        (answer("scalar", [1]), "none of Prometheus' query API"),
        (answer("scalar", None), "none of Prometheus' query API"),
        (answer("string", [1, "text"]), "the result is a string"),
        (answer("matrix", []), "the result is a matrix"),
        (answer("vector", [{"metric": {}, "histogram": [1, {}]}]), "the result is a histogram"),
        (answer("vector", [1]), "none of Prometheus' query API"),
        (b'{"status":"error","errorType":"bad_data","error":"parse error"}', "Prometheus says 'parse error'"),
        (b'{"status":"error"}', "none of Prometheus' query API"),
        (b'{"status":"success","data":[]}', "none of Prometheus' query API"),
        (b"[]", "none of Prometheus' query API"),
        (b"<html>", "the answer is no JSON"),
        (b"\xff", "the answer is no JSON"),
        (b"[" * 100_000, "the answer is no JSON"),
    ],
)
def test_no_figure(body: bytes, words: str) -> None:
    with pytest.raises(NoFigure, match=words) as raised:
        figure_of(body)
    assert not isinstance(raised.value, NoData)
