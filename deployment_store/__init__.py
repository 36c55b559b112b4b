"""Durable state: the state machine, the schema, SQLite. It knows neither Envoy nor gRPC."""

from deployment_store.store import SqliteStore

__all__ = ["SqliteStore"]
