"""Calls to the control plane; whatever goes wrong becomes a Failure with a sentence."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from grpc.experimental import ChannelOptions

from bluegreen.admin.cli.ctrl_c import CtrlC
from bluegreen.admin.cli.exit_code import ExitCode
from bluegreen.admin.cli.failure import Failure
from bluegreen.admin.cli.options import Caller
from bluegreen.admin.contract import ERROR_KEY, MAX_DOCUMENT, ErrorKind
from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.admin.v1.admin_pb2_grpc import AdminStub
from bluegreen.model.endpoint import Endpoint

ANSWER_WITHIN = 15.0
"""Seconds for a call that does not wait for proxies: it is answered once the intent is durable."""

PLANNED_WITHIN = 60.0
"""Seconds, where a database is asked and every file of its migrations read before anything is decided."""

REACHED_WITHIN = 5.0
"""Seconds in which a call is tried again that reaches nobody."""

ASK_AGAIN_AFTER = 0.1

_OPTIONS = (
    # A variable meant for the web would lead the way to our own control plane through a stranger.
    ("grpc.enable_http_proxy", 0),
    # A status of 1,000 services, each with its proxies.
    ("grpc.max_receive_message_length", 16 * MAX_DOCUMENT),
    # With the thread that grpc reads streams in by default, a stream that is opened at the moment in which
    # the server goes away hangs now and then, and its deadline with it (grpcio 1.85, 25 of 150 trials).
    (ChannelOptions.SingleThreadedUnaryStream, 1),
    # While waiting for a control plane that is being restarted.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
)

_EXIT_CODES = {
    ErrorKind.INVALID_INPUT: ExitCode.USAGE,
    ErrorKind.UNKNOWN_NAME: ExitCode.USAGE,
    ErrorKind.REFUSED: ExitCode.REFUSED,
    ErrorKind.CONFLICT: ExitCode.REFUSED,
    ErrorKind.NOT_SERVING: ExitCode.FAILED,
    ErrorKind.INTERNAL: ExitCode.FAILED,
}


class OutOfReach(Failure):
    """Nobody answered: the control plane may be on its way back."""


class Overdue(Failure):
    """The time for a call is over."""


class Connection:
    """One control plane, as one caller sees it."""

    def __init__(self, channel: grpc.Channel, address: Endpoint) -> None:
        self._stub = AdminStub(channel)  # type: ignore[no-untyped-call]  # generated
        self._address = address

    def call(self, rpc: str, request: Any, within: float = ANSWER_WITHIN) -> Any:
        """Ask, and return the answer; a control plane that is just starting gets a moment. Raises Failure.

        To ask again is safe: what changes something carries a key under which it acts only once.
        """
        give_up = time.monotonic() + REACHED_WITHIN
        while True:
            try:
                return getattr(self._stub, rpc)(request, timeout=within)
            except grpc.RpcError as error:
                failure = _failure(error, self._address)
                if not isinstance(failure, OutOfReach) or time.monotonic() > give_up:
                    raise failure from error
            time.sleep(ASK_AGAIN_AFTER)

    def stream(self, rpc: str, request: Any, timeout: float) -> Iterator[Any]:
        """The answers as they come; after `timeout` seconds it raises Overdue. Raises Failure, and
        KeyboardInterrupt."""
        ctrl_c = CtrlC()
        with ctrl_c.awaited():
            call = getattr(self._stub, rpc)(request, timeout=timeout)
            ctrl_c.cancels(call.cancel)
            try:
                yield from call
            except grpc.RpcError as error:
                raise _failure(error, self._address) from error
            finally:
                call.cancel()


@contextmanager
def connected(caller: Caller) -> Iterator[Connection]:
    with grpc.insecure_channel(str(caller.admin), options=_OPTIONS) as channel:
        yield Connection(channel, caller.admin)


def standing_of(connection: Connection, service: str) -> dict[str, Any]:
    """Where the service stands as the operator asks: of two who ask at once, one is told of the other."""
    status = connection.call("GetStatus", pb.GetStatusRequest(service=service))
    return {"expected": status.standing} if status.HasField("standing") else {}


def origin(caller: Caller) -> pb.Origin:
    key = caller.key or uuid.uuid4().hex
    return pb.Origin(actor=caller.actor, reason=caller.reason, idempotency_key=key)


def _failure(error: Any, address: Endpoint) -> Failure:
    """grpc's errors carry their status, though their type does not say so."""
    told = dict(error.trailing_metadata() or ()).get(ERROR_KEY)
    if told in set(ErrorKind):
        return Failure(error.details() or "", _EXIT_CODES[ErrorKind(told)])
    match error.code():
        case grpc.StatusCode.UNAVAILABLE | grpc.StatusCode.CANCELLED:
            return OutOfReach(
                f"Cannot reach the control plane at {address}: {_cause(error.details())}. Is `bluegreen "
                "serve` running there? Say where it is with --admin HOST:PORT or BLUEGREEN_ADMIN.",
                ExitCode.FAILED,
            )
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return Overdue(f"The control plane at {address} did not answer in time.", ExitCode.FAILED)
        case grpc.StatusCode.UNIMPLEMENTED:
            return Failure(
                f"What listens at {address} does not know this call: is it the admin port (18001 by "
                "default), and as new as this command?",
                ExitCode.FAILED,
            )
        case code:
            return Failure(f"{address} answered {code.name}: {_cause(error.details())}.", ExitCode.FAILED)


def _cause(details: str | None) -> str:
    """What grpc says last is what happened; before that stands what it was doing."""
    return (
        (details or "no reason given").rpartition("Failed to connect to remote host: ")[2].strip().rstrip(".")
    )
