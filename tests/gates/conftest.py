"""Fixtures of the gates' tests: a checker, and what it asks."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bluegreen.gates.outside_checker import OutsideChecker
from bluegreen.model.checker import Target
from tests.gates.web_server import WebServer


@pytest.fixture
async def checker() -> AsyncIterator[OutsideChecker]:
    async with OutsideChecker.open() as checker:
        yield checker


@pytest.fixture
async def server() -> AsyncIterator[WebServer]:
    async with WebServer.open() as server:
        yield server


@pytest.fixture
def target(server: WebServer) -> Target:
    """Reached through one gateway, which is the server itself."""
    return Target("shop", "v2", 7, "green", "key-7", "shop.example", server.url, (server.url,))
