"""The port to everything outside that is asked for a verdict: instances, commands, webhooks, Prometheus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bluegreen.model.acceptance_test import AcceptanceTest
from bluegreen.model.analysis import Source
from bluegreen.model.hook import Hook
from bluegreen.model.verdict import Finding


@dataclass(frozen=True, slots=True)
class Target:
    """What a check is about. A command finds each field in its environment, in capitals and with BLUEGREEN_
    before it (BLUEGREEN_SERVICE, ...); a webhook gets them as JSON. Empty: does not apply.

    `url` is where the version is reached: the preview listener of the first gateway, or its production
    listener where the active version is tested; `urls` are those of all gateways. `domain` is the Host to ask
    with. `key` is the same when a check is run once more after a crash.
    """

    service: str
    version: str
    revision: int
    environment: str
    key: str
    domain: str = ""
    url: str = ""
    urls: tuple[str, ...] = ()
    moment: str = ""
    rollout: int | None = None
    percent: int | None = None
    reason: str = ""  # why it was rolled back


class Checker(Protocol):
    """Each call gives a finding and raises nothing: what cannot be asked is Verdict.ERROR. Each keeps to the
    timeout of what it runs; cancelled, it leaves no process behind."""

    async def test(self, test: AcceptanceTest, target: Target) -> Finding:
        """Run one test, with its repeats and retries, through every one of `target.urls`."""
        ...

    async def run_hook(self, hook: Hook, target: Target) -> Finding: ...

    async def measure(self, source: Source, target: Target) -> Finding: ...
