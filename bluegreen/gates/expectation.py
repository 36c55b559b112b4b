"""Whether an HTTP answer is what was expected. Pure."""

from __future__ import annotations

import json

from bluegreen.gates.http_client import Answer
from bluegreen.gates.json_pointer import (
    InvalidPointer,
    NotThere,
    are_equal,
    parse_json,
    parse_pointer,
    resolve,
)
from bluegreen.gates.text import quoted
from bluegreen.model.acceptance_test import HttpExpectation


def flaw(expected: HttpExpectation) -> str | None:
    """What makes the expectation none that could be met, whatever comes; None: it is sound."""
    for pointer, value in expected.json.items():
        try:
            parse_pointer(pointer)
            parse_json(value)
        except InvalidPointer as error:
            return str(error)
        except ValueError:
            return f"what is expected at {pointer or 'the root'} is no JSON: {quoted(value)}"
    return None


def shortcoming(expected: HttpExpectation, answer: Answer) -> str | None:
    """What is wrong with the answer, with what was expected; None: nothing. The expectation is sound."""
    return (
        _status(expected, answer)
        or _body(expected, answer)
        or _json(expected, answer)
        or _latency(expected, answer)
    )


def _status(expected: HttpExpectation, answer: Answer) -> str | None:
    if answer.status in expected.status:
        return None
    leads = f" to {quoted(answer.location)}, which is not followed" if answer.location else ""
    return f"expected status {' or '.join(map(str, expected.status))}; came {answer.status}{leads}"


def _body(expected: HttpExpectation, answer: Answer) -> str | None:
    if expected.body is None or expected.body in answer.text:
        return None
    where = f"the first {len(answer.body)} bytes of the body" if answer.is_cut else "the body"
    return f"expected {quoted(expected.body)} in {where}; it is not there"


def _json(expected: HttpExpectation, answer: Answer) -> str | None:
    if not expected.json:
        return None
    if answer.is_cut:
        return f"expected JSON; the body is longer than {len(answer.body)} bytes, too long to be read"
    try:
        document = parse_json(answer.body)
    except ValueError:
        return "expected JSON; the body is none"
    for pointer, value in expected.json.items():
        where = pointer or "the root"
        try:
            found = resolve(document, pointer)
        except NotThere:
            return f"expected {quoted(value)} at {where} of the JSON body; nothing is there"
        if not are_equal(found, parse_json(value)):
            return f"expected {quoted(value)} at {where} of the JSON body; came {quoted(json.dumps(found))}"
    return None


def _latency(expected: HttpExpectation, answer: Answer) -> str | None:
    if expected.max_latency is None or answer.seconds <= expected.max_latency:
        return None
    wanted, came = (f"{seconds * 1000:.0f} ms" for seconds in (expected.max_latency, answer.seconds))
    return f"expected an answer within {wanted}; it took {came}"
