"""How the instances of a version come about, as the service file writes it."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator

from bluegreen.admin.service_file.entry import Entry
from bluegreen.admin.service_file.fields import Duration, Timespan, UrlPath
from bluegreen.admin.service_file.gate_fields import (
    Command,
    TryTimeout,
    at_least,
    one_of,
    requires_one_of,
    up_to,
)
from bluegreen.admin.service_file.instance_fields import (
    Directory,
    FilePath,
    Host,
    Percent,
    ProcessCommand,
    Variables,
)
from bluegreen.model.provisioning import (
    EndpointsFile,
    ProcessTemplate,
    ProvisionerCommand,
    Provisioning,
    Source,
)

MOST_INSTANCES = 10_000
MOST_PROCESSES = 1_000
"""Of one environment."""

SHORTEST_INTERVAL = 0.1
LONGEST_WAIT = 3600.0
LONGEST_GRACE = 86_400.0
"""Seconds."""

_PROCESS = ProcessTemplate(())
_COMMAND = ProvisionerCommand(())
_FILE = EndpointsFile("")
_PROVISIONING = Provisioning(_FILE)

Interval = Annotated[TryTimeout, at_least(SHORTEST_INTERVAL)]
Wait = Annotated[Timespan, up_to(LONGEST_WAIT)]
Backoff = Annotated[Wait, at_least(SHORTEST_INTERVAL)]


class ProcessEntry(Entry):
    """Local processes, one an instance, each on a free port that it is told."""

    command: ProcessCommand
    """{port}, {version}, {revision}, {environment}, {instance} and {service} in it are filled in."""
    environment: Variables = Field(default_factory=dict)
    """Their values are never shown. PORT, BLUEGREEN_VERSION and so on are there besides."""
    directory: Directory | None = None
    """By default the control plane's own."""
    host: Host = _PROCESS.host
    """The address of this machine that the processes listen on."""
    ready_path: UrlPath | None = None
    """Asked for over HTTP/1.1 for as long as it runs: it is up while it answers with a status of class 2xx.
    By default it is up from when it listens until it ends."""
    ready_interval: Interval = _PROCESS.ready_interval
    """Between two askings for `ready_path`."""
    ready_timeout: Wait = _PROCESS.ready_timeout
    """Until it must be up."""
    grace: Annotated[Duration, up_to(LONGEST_GRACE)] = _PROCESS.grace
    """From SIGTERM to SIGKILL."""
    backoff: Backoff = _PROCESS.backoff
    """Until one that has ended by itself is started again; doubled each time."""
    longest_backoff: Backoff = _PROCESS.longest_backoff

    @model_validator(mode="after")
    def _backoff_within(self) -> ProcessEntry:
        if self.backoff > self.longest_backoff:
            raise ValueError("backoff must not be longer than longest_backoff.")
        return self

    def build(self) -> ProcessTemplate:
        return ProcessTemplate(**dict(self))


class CommandEntry(Entry):
    """A program of your own that makes, counts and stops instances."""

    command: Command
    """It is given up, endpoints or stop as its last argument, and JSON on standard input."""
    timeout: Wait = _COMMAND.timeout
    """Of one call."""
    interval: Interval = _COMMAND.interval
    """Between two calls with `endpoints`."""

    def build(self) -> ProvisionerCommand:
        return ProvisionerCommand(**dict(self))


class FileEntry(Entry):
    """A file of endpoints that something else writes."""

    path: FilePath
    """{service}, {environment}, {version} and {revision} in it are filled in."""
    interval: Interval = _FILE.interval
    """Between two looks."""

    def build(self) -> EndpointsFile:
        return EndpointsFile(**dict(self))


class InstancesEntry(Entry):
    """How the instances of a version come about: process, command or file."""

    model_config = ConfigDict(json_schema_extra=requires_one_of("process", "command", "file"))

    process: ProcessEntry | None = None
    command: CommandEntry | None = None
    file: FileEntry | None = None
    count: Annotated[int, Field(ge=1, le=MOST_INSTANCES)] = _PROVISIONING.instances
    """Of an environment."""
    standby_capacity: Percent = _PROVISIONING.standby_capacity
    """What the old version keeps of it once it was warm for long enough. 0% retires it."""

    @field_validator("count")
    @classmethod
    def _not_too_many_processes(cls, count: int, info: ValidationInfo) -> int:
        if info.data.get("process") is not None and count > MOST_PROCESSES:
            raise ValueError(f"must be at most {MOST_PROCESSES}, since each is a process of one machine.")
        return count

    @model_validator(mode="after")
    def _one_source(self) -> InstancesEntry:
        one_of(self, "process", "command", "file")
        return self

    def build(self) -> Provisioning:
        return Provisioning(self._source(), self.count, self.standby_capacity)

    def _source(self) -> Source:
        entry = self.process or self.command or self.file
        assert entry is not None  # noqa: S101 - see _one_source
        return entry.build()
