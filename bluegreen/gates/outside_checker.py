"""The checker: asks what is outside of the control plane, and makes a finding of all that comes back."""

from __future__ import annotations

import asyncio
import logging
import os
import traceback
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager

from bluegreen.gates.command_check import ask_command, measure_command
from bluegreen.gates.command_environment import command_environment
from bluegreen.gates.grpc_probe import probe_grpc
from bluegreen.gates.http_client import HttpClient
from bluegreen.gates.http_probe import probe_http
from bluegreen.gates.outcome import Outcome
from bluegreen.gates.prometheus import measure_prometheus
from bluegreen.gates.repetition import with_retries
from bluegreen.gates.text import MAXIMUM_SUMMARY
from bluegreen.gates.webhook import Webhook, ask_webhook, measure_webhook
from bluegreen.model.acceptance_test import AcceptanceTest, CommandTest, GrpcTest, HttpTest
from bluegreen.model.analysis import CommandSource, PrometheusSource, Source, WebhookSource
from bluegreen.model.checker import Target
from bluegreen.model.hook import Hook
from bluegreen.model.secret import Secret
from bluegreen.model.verdict import MAXIMUM_OUTPUT, Finding, Verdict
from bluegreen.subprocesses.command import Command, CommandRunner
from bluegreen.subprocesses.printable import printable
from bluegreen.subprocesses.redaction import Redaction

log = logging.getLogger(__name__)

COMMANDS_AT_ONCE = 8


class OutsideChecker:
    """Implements `bluegreen.model.checker.Checker`."""

    def __init__(self, client: HttpClient, commands: CommandRunner, inherited: Mapping[str, str]) -> None:
        self._client = client
        self._commands = commands
        self._inherited = inherited

    @classmethod
    @asynccontextmanager
    async def open(cls, commands_at_once: int = COMMANDS_AT_ONCE) -> AsyncIterator[OutsideChecker]:
        """A checker for as long as the context is open: leave it when no call is under way any more."""
        async with HttpClient.open() as client:
            yield cls(client, CommandRunner(commands_at_once), dict(os.environ))

    async def test(self, test: AcceptanceTest, target: Target) -> Finding:
        headers = test.headers if isinstance(test, HttpTest) else {}
        return await _find(test.name, headers, self._test(test, target))

    async def run_hook(self, hook: Hook, target: Target) -> Finding:
        return await _find(hook.name, hook.headers or {}, self._run_hook(hook, target))

    async def measure(self, source: Source, target: Target) -> Finding:
        headers = {} if isinstance(source, CommandSource) else source.headers or {}
        return await _find(source.name, headers, self._measure(source, target))

    async def _test(self, test: AcceptanceTest, target: Target) -> Outcome:
        match test:
            case HttpTest():
                return await probe_http(self._client, test, target)
            case GrpcTest():
                return await probe_grpc(test, target)
            case CommandTest():
                command = self._command(test.command, test.timeout, target)
                return await with_retries(test.retries, lambda: ask_command(self._commands, command))

    async def _run_hook(self, hook: Hook, target: Target) -> Outcome:
        if hook.url is not None:
            return await ask_webhook(
                self._client, Webhook(hook.url, hook.headers or {}, hook.timeout), target
            )
        return await ask_command(self._commands, self._command(hook.command, hook.timeout, target))

    async def _measure(self, source: Source, target: Target) -> Outcome:
        match source:
            case PrometheusSource():
                return await measure_prometheus(self._client, source, target)
            case WebhookSource():
                webhook = Webhook(source.url, source.headers or {}, source.timeout)
                return await measure_webhook(self._client, webhook, target)
            case CommandSource():
                command = self._command(source.command, source.timeout, target)
                return await measure_command(self._commands, command)

    def _command(self, arguments: tuple[str, ...], timeout: float, target: Target) -> Command:
        return Command(arguments, command_environment(self._inherited, target), timeout)


async def _find(name: str, headers: Mapping[str, Secret], checking: Awaitable[Outcome]) -> Finding:
    """The finding of a check, whatever becomes of it; no secret of its headers is in it."""
    redaction = Redaction(headers.values())
    clock = asyncio.get_running_loop().time
    began = clock()
    try:
        outcome = await checking
    except Exception as error:  # noqa: BLE001 - the port promises a finding, whatever happens
        # A defect of ours in one check must not end the service's worker, and must never count as a pass.
        log.error("check %s is broken:\n%s", name, redaction.apply(traceback.format_exc()))
        outcome = Outcome(Verdict.ERROR, f"the check itself is broken: {type(error).__name__}")
    return Finding(
        name,
        outcome.verdict,
        printable(redaction.apply(outcome.summary))[:MAXIMUM_SUMMARY],
        redaction.apply(outcome.output)[:MAXIMUM_OUTPUT],
        clock() - began,
    )
