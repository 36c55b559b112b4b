"""HTTP tests: requests through the gateways, whose answers must be as expected."""

from __future__ import annotations

import string
from urllib.parse import quote

from yarl import URL

from bluegreen.gates.expectation import flaw, shortcoming
from bluegreen.gates.http_client import CannotAsk, HttpClient, NoAnswer, Request
from bluegreen.gates.outcome import Outcome
from bluegreen.gates.repetition import through_every_gateway
from bluegreen.gates.text import beginning
from bluegreen.model.acceptance_test import HttpTest
from bluegreen.model.checker import Target
from bluegreen.model.verdict import Verdict
from bluegreen.subprocesses.redaction import Redaction

# What stands in the path as it was written; the rest (blanks, controls, other alphabets) is escaped.
_AS_WRITTEN = string.punctuation.replace("#", "")


async def probe_http(client: HttpClient, test: HttpTest, target: Target) -> Outcome:
    """Fail where an answer is wrong, breaks off or is late; an error where none can be asked for.

    The Host is the target's domain unless the test has a Host of its own. Over https the certificate must be
    that of the URL's host.
    """
    if unsound := flaw(test.expect):
        return Outcome(Verdict.ERROR, unsound)
    redaction = Redaction(test.headers.values())
    headers = {name: secret.value for name, secret in test.headers.items()}
    if target.domain and not any(name.lower() == "host" for name in headers):
        headers["Host"] = target.domain
    body = None if test.body is None else test.body.encode()

    async def ask(url: str) -> Outcome:
        try:
            answer = await client.ask(
                Request(test.method, address(url, test.path), headers, body, test.timeout)
            )
        except CannotAsk as error:
            return Outcome(Verdict.ERROR, str(error))
        except NoAnswer as error:
            return Outcome(Verdict.FAIL, str(error))
        if wrong := shortcoming(test.expect, answer):
            return Outcome(Verdict.FAIL, wrong, beginning(redaction.apply(answer.text)))
        return Outcome(Verdict.PASS, f"status {answer.status}")

    return await through_every_gateway(test, target.urls, test.path, ask)


def address(url: str, path: str) -> URL:
    """The path below the URL, sent just as it is written: `..`, `//` and `%2F` mean something to a test."""
    begin = "" if path.startswith("/") else "/"
    try:
        return URL(url.rstrip("/") + begin + quote(path, safe=_AS_WRITTEN), encoded=True)
    except ValueError as error:
        raise CannotAsk("the address is no URL that can be asked") from error
