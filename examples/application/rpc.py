"""The gRPC side: one method, and the health protocol that proxies ask.

`example.Application/Wait` takes a google.protobuf.Duration, and answers with the version once it has passed.
"""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.wrappers_pb2 import StringValue
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health import aio as health

SERVICE = "example.Application"


class Rpc:
    """A gRPC server on HOST:PORT."""

    def __init__(self, version: str, address: str) -> None:
        self._version = version
        self._health = health.HealthServicer()  # about the whole server (the empty name): SERVING
        self._server = grpc.aio.server()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        wait = grpc.unary_unary_rpc_method_handler(
            self._wait,
            request_deserializer=Duration.FromString,
            response_serializer=StringValue.SerializeToString,
        )
        handler = grpc.method_handlers_generic_handler(SERVICE, {"Wait": wait})
        self._server.add_generic_rpc_handlers((handler,))
        self._server.add_insecure_port(address)  # raises RuntimeError where that is taken

    async def start(self) -> None:
        await self._server.start()

    async def turn_unready(self) -> None:
        """NOT_SERVING from now on, also to those who watch, and for good. Calls are answered as before."""
        await self._health.enter_graceful_shutdown()

    async def stop(self, grace: float) -> None:
        """Take no more calls (GOAWAY), and finish those under way."""
        await self._server.stop(grace)

    async def _wait(self, duration: Duration, _context: Any) -> StringValue:
        await asyncio.sleep(duration.ToTimedelta().total_seconds())
        return StringValue(value=self._version)
