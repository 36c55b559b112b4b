"""Fixtures for every test."""

from __future__ import annotations

import os

import pytest

from bluegreen.app.demo import ports

pytest_plugins = ("tests.support.fixtures", "tests.support.postgres")


def pytest_configure(config: pytest.Config) -> None:
    """Of the ports, each of the workers that run tests side by side has a share of its own."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    share = (ports.HIGHEST - ports.LOWEST) // workers
    ports.LOWEST += worker * share
    ports.HIGHEST = ports.LOWEST + share
