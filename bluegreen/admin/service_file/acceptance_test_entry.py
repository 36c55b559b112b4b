"""A test of a version as the service file writes it. Its key says of what kind it is."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from bluegreen.admin.service_file.entry import Entry
from bluegreen.admin.service_file.fields import Distinct, Timespan
from bluegreen.admin.service_file.gate_fields import (
    LONGEST_TEST,
    Command,
    TestTimeout,
    Title,
    one_of,
    requires_one_of,
)
from bluegreen.admin.service_file.problem import quote
from bluegreen.admin.service_file.request_fields import Body, Headers, Method, RequestTarget
from bluegreen.model.acceptance_test import AcceptanceTest, CommandTest, GrpcTest, HttpExpectation, HttpTest
from bluegreen.model.duration import format_duration

_HTTP = HttpTest("")
_EXPECTED = HttpExpectation()
_COMMAND = CommandTest("", ())

_POINTER = r"(/([^~/]|~[01])*)*"
_GRPC_SERVICE = r"[A-Za-z0-9_.-]{0,200}"


def _pointer(value: object) -> str:
    if isinstance(value, str) and len(value) <= 500 and re.fullmatch(_POINTER, value):
        return value
    raise ValueError(f"{quote(value)} is no JSON pointer: write one such as /status or /items/0/name.")


def _grpc_service(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(_GRPC_SERVICE, value):
        return value
    raise ValueError(f"{quote(value)} is no gRPC service: write one such as shop.v1.Shop.")


def _in_a_list(value: Any) -> Any:
    return [value] if isinstance(value, int) and not isinstance(value, bool) else value


Pointer = Annotated[
    str, PlainValidator(_pointer), WithJsonSchema({"type": "string", "pattern": f"^{_POINTER}$"})
]
GrpcService = Annotated[
    str, PlainValidator(_grpc_service), WithJsonSchema({"type": "string", "pattern": f"^{_GRPC_SERVICE}$"})
]
Status = Annotated[int, Field(ge=100, le=599)]
Statuses = Annotated[list[Status], Field(min_length=1, max_length=50), Distinct]
StatusOrStatuses = Annotated[Statuses, BeforeValidator(_in_a_list, json_schema_input_type=Status | Statuses)]


class ExpectationEntry(Entry):
    """What an answer must be."""

    status: StatusOrStatuses = Field(default_factory=lambda: list(_EXPECTED.status))
    """One, or a list of which it must be one; 200 by default. Redirects are not followed."""
    body: Body | None = None
    """Must be contained in the answer's body."""
    json_values: dict[Pointer, JsonValue] = Field(default_factory=dict, alias="json", max_length=50)
    """JSON pointers into the answer, each with the value that must be there."""
    max_latency: Timespan | None = None
    """Until the whole answer is there."""

    def build(self) -> HttpExpectation:
        return HttpExpectation(
            status=tuple(self.status),
            body=self.body,
            json={path: json.dumps(value, ensure_ascii=False) for path, value in self.json_values.items()},
            max_latency=self.max_latency,
        )


class HttpRequestEntry(Entry):
    """One request, with the service's first domain as its Host."""

    method: Method = _HTTP.method
    path: RequestTarget = _HTTP.path
    """With a query, if need be."""
    headers: Headers | None = None
    """Their values are never shown."""
    body: Body | None = None
    expect: ExpectationEntry = ExpectationEntry()


class GrpcHealthEntry(Entry):
    """The gRPC health protocol."""

    service: GrpcService = ""
    """By default the whole server."""


class AcceptanceTestEntry(Entry):
    """Something that a version must answer before it may take traffic: http, grpc or command."""

    model_config = ConfigDict(json_schema_extra=requires_one_of("http", "grpc", "command"))

    name: Title
    http: HttpRequestEntry | None = None
    grpc: GrpcHealthEntry | None = None
    command: Command | None = None
    """Exits with 0 where all is well."""
    repeat: Annotated[int, Field(ge=1, le=100_000)] = _HTTP.repeat
    """So many requests, each of which must be answered right. For http and grpc."""
    retries: Annotated[int, Field(ge=0, le=100)] = _HTTP.retries
    """Further tries of what has failed."""
    timeout: TestTimeout | None = None
    """Of one request, 10s by default; of a command, 5m by default."""

    @model_validator(mode="after")
    def _one_kind(self) -> AcceptanceTestEntry:
        if one_of(self, "http", "grpc", "command") == "command" and "repeat" in self.model_fields_set:
            raise ValueError("repeat is for http and grpc; a command can repeat what it likes.")
        return self

    @model_validator(mode="after")
    def _ends(self) -> AcceptanceTestEntry:
        longest = self.repeat * (self.retries + 1) * self._timeout
        if longest > LONGEST_TEST:
            raise ValueError(
                f"may take {format_duration(longest)} (repeat x (retries + 1) x timeout), but must not take "
                f"longer than {format_duration(LONGEST_TEST)}."
            )
        return self

    @model_validator(mode="after")
    def _in_time(self) -> AcceptanceTestEntry:
        latency = self.http.expect.max_latency if self.http else None
        if latency is not None and latency > self._timeout:
            raise ValueError("max_latency must not be longer than timeout.")
        return self

    @property
    def _timeout(self) -> float:
        if self.timeout is not None:
            return self.timeout
        return _COMMAND.timeout if self.command is not None else _HTTP.timeout

    def build(self) -> AcceptanceTest:
        if self.command is not None:
            return CommandTest(self.name, self.command, self.retries, self._timeout)
        if self.grpc is not None:
            return GrpcTest(self.name, self.grpc.service, self.repeat, self.retries, self._timeout)
        http = self.http or HttpRequestEntry()
        return HttpTest(
            name=self.name,
            method=http.method,
            path=http.path,
            headers=http.headers or {},
            body=http.body,
            expect=http.expect.build(),
            repeat=self.repeat,
            retries=self.retries,
            timeout=self._timeout,
        )
