"""What is asked about a version besides its requests, as the service file writes it."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import ConfigDict, PlainValidator, WithJsonSchema, model_validator

from bluegreen.admin.service_file.entry import Entry, incomplete
from bluegreen.admin.service_file.gate_fields import Command, Title, TryTimeout, one_of, requires_one_of
from bluegreen.admin.service_file.placeholder import refuse_unknown
from bluegreen.admin.service_file.problem import quote
from bluegreen.admin.service_file.request_fields import CallHeaders, Url
from bluegreen.model.analysis import CommandSource, PrometheusSource, Source, WebhookSource
from bluegreen.model.condition import Comparison

_WEBHOOK = WebhookSource("", "")
_COMMAND = CommandSource("", ())

_FILLED_IN = ("service", "version", "revision", "environment")
_THRESHOLD = r"(<=|>=|<|>) *([-+]?[0-9]{1,15}(?:\.[0-9]{1,15})?(?:[eE][-+]?[0-9]{1,2})?)"

Threshold = tuple[Comparison, float]


def _query(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 4000:
        raise ValueError("must be a query in PromQL, of at most 4000 characters and in quotes.")
    refuse_unknown(value, _FILLED_IN)  # a word alone in braces is nothing in PromQL
    return value


def _threshold(value: object) -> Threshold:
    found = re.fullmatch(_THRESHOLD, value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(
            f'{quote(value)} is no condition of a query: write <, <=, > or >= and a number, such as ">= 5".'
        )
    return Comparison(found[1]), float(found[2])


Query = Annotated[
    str, PlainValidator(_query), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 4000})
]
ThresholdText = Annotated[
    Threshold,
    PlainValidator(_threshold),
    WithJsonSchema({"type": "string", "pattern": f"^ *{_THRESHOLD} *$"}),
]


class PrometheusEntry(Entry):
    """A query whose result is one figure."""

    url: Url
    """Of the server, such as http://prometheus:9090."""
    query: Query
    """{service}, {version}, {revision} and {environment} in it are filled in."""
    headers: CallHeaders | None = None
    """Their values are never shown."""


class WebhookEntry(Entry):
    """A POST of what is going on, as JSON."""

    url: Url
    """Only its host is ever shown."""
    headers: CallHeaders | None = None
    """Their values are never shown."""


class SourceEntry(Entry):
    """Something that is asked, again and again, while a version takes traffic: prometheus, webhook or
    command."""

    model_config = ConfigDict(json_schema_extra=requires_one_of("prometheus", "webhook", "command"))

    name: Title
    prometheus: PrometheusEntry | None = None
    webhook: WebhookEntry | None = None
    """2xx passes."""
    command: Command | None = None
    """Exits with 0 where all is well, with 1 where it is not; anything else is an error."""
    condition: ThresholdText | None = None
    """What must hold of the result of the query, such as ">= 5". For prometheus."""
    interval: TryTimeout = _WEBHOOK.interval
    timeout: TryTimeout | None = None
    """Of one try: 5s by default, of a command 30s."""

    @model_validator(mode="after")
    def _one_kind(self) -> SourceEntry:
        kind = one_of(self, "prometheus", "webhook", "command")
        if kind == "prometheus" and self.condition is None:
            raise incomplete('give the condition that the result of the query must meet, such as ">= 5".')
        if kind != "prometheus" and self.condition is not None:
            raise ValueError(f"condition is for prometheus; a {kind} says by itself whether all is well.")
        return self

    def build(self) -> Source:
        if self.command is not None:
            return CommandSource(self.name, self.command, self.interval, self.timeout or _COMMAND.timeout)
        timeout = self.timeout or _WEBHOOK.timeout
        if self.prometheus is not None and self.condition is not None:
            comparison, threshold = self.condition
            return PrometheusSource(
                name=self.name,
                url=self.prometheus.url,
                query=self.prometheus.query,
                comparison=comparison,
                threshold=threshold,
                interval=self.interval,
                timeout=timeout,
                headers=self.prometheus.headers or None,
            )
        webhook = self.webhook
        assert webhook is not None  # noqa: S101 - see _one_kind
        return WebhookSource(self.name, webhook.url, self.interval, timeout, webhook.headers or None)
