"""What went wrong -> what a gRPC client is told."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from secrets import token_hex
from typing import Any, TypeVar

import grpc

from bluegreen.admin.contract import ERROR_KEY, ErrorKind
from bluegreen.model.errors import BluegreenError, Conflict, InvalidInput, NotServing, Refused, UnknownName

log = logging.getLogger(__name__)

# A message travels in an HTTP/2 header, percent-encoded; grpc refuses some, and then all, that are larger
# than 8 KiB with what goes with them.
_LONGEST_MESSAGE = 6000

# The first one that fits: a class stands before the one that it derives from.
_STATUS: tuple[tuple[type[BluegreenError], grpc.StatusCode, ErrorKind], ...] = (
    (UnknownName, grpc.StatusCode.NOT_FOUND, ErrorKind.UNKNOWN_NAME),
    (InvalidInput, grpc.StatusCode.INVALID_ARGUMENT, ErrorKind.INVALID_INPUT),
    (Refused, grpc.StatusCode.FAILED_PRECONDITION, ErrorKind.REFUSED),
    (Conflict, grpc.StatusCode.ABORTED, ErrorKind.CONFLICT),
    (NotServing, grpc.StatusCode.UNAVAILABLE, ErrorKind.NOT_SERVING),
)

Handler = TypeVar("Handler", bound=Callable[..., Awaitable[Any]])


def telling_errors(handler: Handler) -> Handler:
    """Let an rpc answer with the status that stands for what it raises."""

    @wraps(handler)
    async def answer(servicer: Any, request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        try:
            return await handler(servicer, request, context)
        except BluegreenError as error:
            code, kind, message = _told(error)
        except Exception:  # the edge: whatever it was, the client gets an answer, and the log the rest
            incident = token_hex(4)
            log.exception("incident %s in %s", incident, handler.__name__)
            code, kind = grpc.StatusCode.INTERNAL, ErrorKind.INTERNAL
            message = (
                f"The control plane failed over this request; its log tells more under incident {incident}."
            )
        return await context.abort(code, message, ((ERROR_KEY, kind.value),))

    return answer  # type: ignore[return-value]  # the same signature, which a decorator cannot say here


def _told(error: BluegreenError) -> tuple[grpc.StatusCode, ErrorKind, str]:
    message = _cut(str(error))
    for raised, code, kind in _STATUS:
        if isinstance(error, raised):
            return code, kind, message
    return grpc.StatusCode.INTERNAL, ErrorKind.INTERNAL, message


def _cut(text: str) -> str:
    length = 0
    for index, each in enumerate(text):
        length += 1 if " " <= each <= "~" and each != "%" else 3 * len(each.encode())
        if length > _LONGEST_MESSAGE:
            return f"{text[:index]}..."
    return text
