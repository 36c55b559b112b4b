"""What comes in over the API, checked and in the domain's types. Everything raises InvalidInput."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.errors import InvalidInput
from bluegreen.model.event import Origin
from bluegreen.model.migration import Phase
from bluegreen.rollout.operations import DeployCommand, MigrateCommand
from bluegreen.rollout.standing import Standing

MAX_ENDPOINTS = 10_000

MAX_LINES, SOME_LINES = 10_000, 100
"""Of the log of an instance."""

# A version is shown in headers, metrics and terminals.
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+:@/~-]{0,127}", re.ASCII)


def origin(message: pb.Origin, peer: str) -> Origin:
    """Who asks; where they do not say, the address that they come from."""
    return Origin(
        _line("actor", message.actor, 200) or peer,
        _line("reason", message.reason, 1000),
        _line("idempotency_key", message.idempotency_key, 200),
    )


def name(kind: str, text: str) -> str:
    """A name to look up: whether it stands for anything, the one who knows the names will tell."""
    if not text:
        raise InvalidInput(f"Say which {kind}.")
    return _line(kind, text, 256)


def limit(asked: int, default: int, most: int) -> int:
    """How many to list at most; 0 is the default."""
    if not 0 <= asked <= most:
        raise InvalidInput(f"A limit of {asked} is out of range: 1 to {most}, or 0 for {default}.")
    return asked or default


def lines(asked: int) -> int:
    """How many lines of a log; 0 is the default."""
    if not 0 <= asked <= MAX_LINES:
        raise InvalidInput(f"{asked} lines are out of range: 1 to {MAX_LINES}, or 0 for {SOME_LINES}.")
    return asked or SOME_LINES


def deploy_command(request: pb.DeployRequest) -> DeployCommand:
    return DeployCommand(
        service=name("service", request.service),
        version=_version(request.version),
        endpoints=_endpoints(request.endpoints),
        replace_standby=request.replace_standby,
    )


def migrate_command(request: pb.MigrateRequest) -> MigrateCommand:
    if request.phase not in set(Phase):
        raise InvalidInput(f"{request.phase[:40]!r} is no phase of migrations: {', '.join(Phase)}.")
    if request.accept_drift and not request.origin.reason.strip():
        raise InvalidInput("To accept what other hands did to the schema, say why: give a reason.")
    return MigrateCommand(
        service=name("service", request.service),
        phase=Phase(request.phase),
        version=version_or_none(request.version),
        accept_drift=request.accept_drift,
        retire_standby=request.retire_standby,
        expected=expected(request),
    )


def version_or_none(text: str) -> str:
    """Empty where none was named."""
    return _version(text) if text else ""


def expected(
    request: pb.PromoteRequest | pb.CommandRequest | pb.RetireRequest | pb.MigrateRequest,
) -> Standing | None:
    """What the sender saw, if it looked."""
    if not request.HasField("expected"):
        return None
    seen = request.expected
    return Standing(
        rollout=seen.rollout_id or None,
        step=seen.step,
        goes_on=seen.goes_on,
        candidate=seen.candidate_revision or None,
        active=seen.active_revision or None,
    )


def _version(text: str) -> str:
    if not _VERSION.fullmatch(text):
        raise InvalidInput(
            f"{text[:128]!r} is no version: write up to 128 letters, digits and . _ + : @ / ~ -, "
            "a letter or digit first."
        )
    return text


def _endpoints(texts: Iterable[str]) -> tuple[Endpoint, ...]:
    endpoints = tuple(Endpoint.parse(text[:300]) for text in texts)
    if len(endpoints) > MAX_ENDPOINTS:
        raise InvalidInput(f"{len(endpoints)} endpoints are too many: at most {MAX_ENDPOINTS}.")
    return endpoints


def _line(kind: str, text: str, longest: int) -> str:
    """One line without control characters: it ends up in logs and on terminals."""
    if len(text) > longest:
        raise InvalidInput(f"The {kind} is {len(text)} characters long: at most {longest}.")
    if not text.isprintable():
        raise InvalidInput(f"The {kind} {text!r} has characters that cannot be printed on one line.")
    return text
