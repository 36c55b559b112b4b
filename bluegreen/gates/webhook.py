"""Webhooks: a POST of what is going on, as JSON; an answer of class 2xx is a yes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from yarl import URL

from bluegreen.gates.http_client import Answer, CannotAsk, HttpClient, NoAnswer, Request, origin
from bluegreen.gates.outcome import Outcome
from bluegreen.gates.text import beginning
from bluegreen.model.checker import Target
from bluegreen.model.secret import Secret
from bluegreen.model.verdict import Verdict
from bluegreen.subprocesses.redaction import Redaction


@dataclass(frozen=True, slots=True)
class Webhook:
    """Of its URL only scheme, host and port are ever shown: the path of many is their password."""

    url: str
    headers: Mapping[str, Secret]
    timeout: float


async def ask_webhook(client: HttpClient, webhook: Webhook, target: Target) -> Outcome:
    """A hook: everything but 2xx is a no, also silence."""
    try:
        return _judge(await _post(client, webhook, target), webhook)
    except NoAnswer as error:
        return Outcome(Verdict.FAIL, f"{origin(webhook.url)}: {error}")


async def measure_webhook(client: HttpClient, webhook: Webhook, target: Target) -> Outcome:
    """A source: 2xx passes; 3xx and 4xx fail; 5xx, and no answer, say nothing of the release: an error."""
    try:
        answer = await _post(client, webhook, target)
    except NoAnswer as error:
        return Outcome(Verdict.ERROR, f"{origin(webhook.url)}: {error}")
    outcome = _judge(answer, webhook)
    if answer.status >= 500:
        return Outcome(Verdict.ERROR, f"{outcome.summary}, which is its own failure", outcome.output)
    return outcome


async def _post(client: HttpClient, webhook: Webhook, target: Target) -> Answer:
    headers = {"Content-Type": "application/json"}
    headers |= {name: secret.value for name, secret in webhook.headers.items()}
    try:
        url = URL(webhook.url)
    except ValueError as error:
        raise CannotAsk("the address is no URL that can be asked") from error
    return await client.ask(
        Request("POST", url, headers, json.dumps(asdict(target)).encode(), webhook.timeout)
    )


def _judge(answer: Answer, webhook: Webhook) -> Outcome:
    redaction = Redaction(webhook.headers.values())
    output = beginning(redaction.apply(answer.text))
    told = f"{origin(webhook.url)} answered {answer.status}"
    match answer.status // 100:
        case 2:
            return Outcome(Verdict.PASS, told, output)
        case 3:
            return Outcome(Verdict.FAIL, f"{told}, a redirect, which is not followed; expected 2xx", output)
        case _:
            return Outcome(Verdict.FAIL, f"{told}; expected 2xx", output)
