"""The admin service over real gRPC on the loopback interface."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from bluegreen.admin.servicer import AdminServicer, Pace, server_options
from bluegreen.admin.v1.admin_pb2_grpc import AdminStub
from deployment_store import SqliteStore
from tests.admin.puppet_operations import PuppetOperations
from tests.deployment_store.samples import add_catalogue


@pytest.fixture
def operations() -> PuppetOperations:
    return PuppetOperations()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    async with SqliteStore.open(tmp_path / "bluegreen.db") as opened:
        await add_catalogue(opened)
        yield opened


@pytest.fixture
async def server(operations: PuppetOperations, store: SqliteStore) -> AsyncIterator[str]:
    """Where the admin service listens."""
    running = grpc.aio.server(options=server_options())
    AdminServicer(operations, store, Pace(change=0.02, heartbeat=0.3)).add_to(running)
    port = running.add_insecure_port("127.0.0.1:0")
    await running.start()
    yield f"127.0.0.1:{port}"
    await running.stop(None)


@pytest.fixture
async def admin(server: str) -> AsyncIterator[AdminStub]:
    async with grpc.aio.insecure_channel(server) as channel:
        yield AdminStub(channel)  # type: ignore[no-untyped-call]  # generated
