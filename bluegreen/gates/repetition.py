"""One test through every gateway, each of its repeats, with further tries of what was not answered right."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from bluegreen.gates.http_client import without_user
from bluegreen.gates.outcome import Outcome
from bluegreen.model.acceptance_test import GrpcTest, HttpTest
from bluegreen.model.verdict import Verdict

RETRY_PAUSE = 0.5
"""Seconds before a further try."""

NO_URLS = Outcome(
    Verdict.ERROR, "there is nowhere to ask: no gateway of the service has an address to ask at"
)


async def through_every_gateway(
    test: HttpTest | GrpcTest, urls: tuple[str, ...], path: str, ask: Callable[[str], Awaitable[Outcome]]
) -> Outcome:
    """`ask` at each URL, one request after the other, until one is not answered right: that one is told."""
    clock = asyncio.get_running_loop().time
    slowest, tries = 0.0, 0

    async def attempt(url: str) -> Outcome:
        nonlocal slowest, tries
        began = clock()
        outcome = await ask(url)
        slowest, tries = max(slowest, clock() - began), tries + 1
        return outcome

    for url in urls:
        for number in range(1, test.repeat + 1):
            outcome = await with_retries(test.retries, lambda: attempt(url))  # noqa: B023 - awaited here
            if not outcome.has_passed:
                which = f", request {number} of {test.repeat}" if test.repeat > 1 else ""
                return replace(outcome, summary=f"{without_user(url)}{path}{which}: {outcome.summary}")
    if not urls:
        return NO_URLS
    requests = test.repeat * len(urls)
    again = f" (with {_count(tries - requests, 'retry', 'retries')})" if tries > requests else ""
    return Outcome(
        Verdict.PASS,
        f"{_count(requests, 'request')} through {_count(len(urls), 'gateway')} answered as expected{again}, "
        f"the slowest in {slowest * 1000:.0f} ms",
    )


async def with_retries(retries: int, attempt: Callable[[], Awaitable[Outcome]]) -> Outcome:
    """The first outcome that passes; else the last one."""
    outcome = await attempt()
    for _ in range(retries):
        if outcome.has_passed:
            return outcome
        await asyncio.sleep(RETRY_PAUSE)
        outcome = await attempt()
    if retries and not outcome.has_passed:
        return replace(outcome, summary=f"{outcome.summary} (the last of {retries + 1} tries)")
    return outcome


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
