"""The standard gRPC health service: SERVING once the state is loaded."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import grpc
from grpc_health.v1 import health_pb2  # type: ignore[import-untyped]  # ships no type information

from .services import SERVICES

_NAME: Final = "grpc.health.v1.Health"
_KNOWN: Final = frozenset({"", *(service.name for service in SERVICES)})
_Status = health_pb2.HealthCheckResponse


class Health:
    """Answers ``Check`` and ``Watch``. It becomes ready once and stays so."""

    def __init__(self) -> None:
        self._ready = asyncio.Event()

    @property
    def ready(self) -> bool:
        return self._ready.is_set()

    def become_ready(self) -> None:
        self._ready.set()

    def handler(self) -> grpc.GenericRpcHandler:
        def codec(method: Any, kind: Any) -> Any:
            return kind(
                method,
                request_deserializer=health_pb2.HealthCheckRequest.FromString,
                response_serializer=_Status.SerializeToString,
            )

        methods = {
            "Check": codec(self._check, grpc.unary_unary_rpc_method_handler),
            "Watch": codec(self._watch, grpc.unary_stream_rpc_method_handler),
        }
        return grpc.method_handlers_generic_handler(_NAME, methods)

    def _status(self, service: str) -> Any:
        if service not in _KNOWN:
            return _Status(status=_Status.SERVICE_UNKNOWN)
        return _Status(status=_Status.SERVING if self.ready else _Status.NOT_SERVING)

    async def _check(self, request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        if request.service not in _KNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"no service {request.service[:200]!r}")
        return self._status(request.service)

    async def _watch(self, request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        told_ready = self.ready  # it may become so while this is being written
        await context.write(self._status(request.service))
        if not told_ready:
            await self._ready.wait()
            await context.write(self._status(request.service))
        await asyncio.Event().wait()  # until the client leaves
