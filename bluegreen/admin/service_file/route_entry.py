"""A route as the service file writes it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from bluegreen.admin.service_file.entry import Entry
from bluegreen.admin.service_file.fields import Duration, UrlPath
from bluegreen.model.service import Retries, Route

_ROUTE = Route()
_RETRIES = Retries()

Attempts = Annotated[int, Field(ge=0, le=100)]


class RetriesEntry(Entry):
    """How often a request is repeated that cannot have been acted on; a number is the attempts."""

    attempts: Attempts = _RETRIES.attempts
    reset: bool = _RETRIES.reset
    """Repeat a GET, HEAD or OPTIONS that was cut short as well."""

    def build(self) -> Retries:
        return Retries(self.attempts, self.reset)


def _from_number(value: Any) -> Any:
    return {"attempts": value} if isinstance(value, int) and not isinstance(value, bool) else value


class RouteEntry(Entry):
    """The requests that a service answers: those below `prefix`, or exactly `path`."""

    prefix: UrlPath | None = None
    path: UrlPath | None = None
    timeout: Duration = _ROUTE.timeout
    """For the whole answer; 0: none."""
    idle_timeout: Duration = _ROUTE.idle_timeout
    """Without a byte in either direction; 0: none."""
    retries: Annotated[
        RetriesEntry, BeforeValidator(_from_number, json_schema_input_type=Attempts | RetriesEntry)
    ] = RetriesEntry()
    websocket: bool = _ROUTE.websocket

    @model_validator(mode="after")
    def _one_way_to_match(self) -> RouteEntry:
        if self.prefix is not None and self.path is not None:
            raise ValueError("give prefix or path, not both.")
        return self

    def build(self) -> Route:
        return Route(
            path=self.path or self.prefix or _ROUTE.path,
            exact=self.path is not None,
            timeout=self.timeout,
            idle_timeout=self.idle_timeout,
            retries=self.retries.build(),
            websocket=self.websocket,
        )
