"""What is told of a release or asked about it, as the service file writes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema, model_validator

from bluegreen.admin.service_file.entry import Entry
from bluegreen.admin.service_file.gate_fields import Command, HookTimeout, Title, one_of, requires_one_of
from bluegreen.admin.service_file.source_entry import WebhookEntry
from bluegreen.model.hook import Hook, Moment, OnHookFailure

_HOOK = Hook("", Moment.BEFORE_DEPLOY)


def _only_ignored(on_failure: OnHookFailure) -> OnHookFailure:
    if on_failure is not OnHookFailure.IGNORE:
        raise ValueError("must be ignore: what this hook is told of has happened, and cannot be aborted.")
    return on_failure


class HookEntry(Entry):
    """Something that is run before a moment of a release: webhook or command."""

    model_config = ConfigDict(json_schema_extra=requires_one_of("webhook", "command"))

    name: Title
    webhook: WebhookEntry | None = None
    """2xx is well."""
    command: Command | None = None
    """Exit 0 is well."""
    timeout: HookTimeout = _HOOK.timeout
    on_failure: Annotated[OnHookFailure, Field(strict=False)] = OnHookFailure.ABORT
    """abort what it was asked about, or ignore."""

    @model_validator(mode="after")
    def _one_kind(self) -> HookEntry:
        one_of(self, "webhook", "command")
        return self

    def build(self, moment: Moment) -> Hook:
        return Hook(
            name=self.name,
            moment=moment,
            url=self.webhook.url if self.webhook else None,
            command=self.command or (),
            headers=(self.webhook.headers or None) if self.webhook else None,
            timeout=self.timeout,
            on_failure=self.on_failure,
        )


class LaterHookEntry(HookEntry):
    """Something that is run after a moment of a release: webhook or command."""

    on_failure: Annotated[
        OnHookFailure, Field(strict=False), AfterValidator(_only_ignored), WithJsonSchema({"const": "ignore"})
    ] = OnHookFailure.IGNORE
    """It can only be ignored: what the hook is told of has happened."""


class HooksEntry(Entry):
    """The user's own, by the moment of a release. Those of one moment are run one after the other."""

    before_deploy: list[HookEntry] = Field(default_factory=list, max_length=20)
    """Nothing of the deployment is known to a proxy yet."""
    before_shift: list[HookEntry] = Field(default_factory=list, max_length=20)
    """A promotion was asked for, and no weight has moved."""
    after_shift: list[LaterHookEntry] = Field(default_factory=list, max_length=20)
    """The candidate has all traffic, and every proxy has acknowledged it."""
    after_rollback: list[LaterHookEntry] = Field(default_factory=list, max_length=20)
    """The traffic is back, and every proxy has acknowledged it."""
    after_retire: list[LaterHookEntry] = Field(default_factory=list, max_length=20)
    """No proxy leads to the deployment any more: it may be stopped."""

    def build(self) -> tuple[Hook, ...]:
        return tuple(self._hooks())

    def _hooks(self) -> Iterator[Hook]:
        for moment in Moment:
            entries: list[HookEntry] = getattr(self, moment.value.replace("-", "_"))
            yield from (entry.build(moment) for entry in entries)
