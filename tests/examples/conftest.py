"""Fixtures for the examples that run in a whole world."""

from __future__ import annotations

from tests.release.conftest import world

__all__ = ["world"]
