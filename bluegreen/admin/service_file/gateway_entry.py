"""A gateway as the service file writes it."""

from __future__ import annotations

from pydantic import model_validator

from bluegreen.admin.service_file.entry import Entry
from bluegreen.admin.service_file.fields import LOOPBACK, Listener, Timespan
from bluegreen.admin.service_file.request_fields import BaseUrl
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.gateway import Gateway


class GatewayEntry(Entry):
    """A named set of listeners; the Envoys whose `node.cluster` is this name run them."""

    listen: Listener
    preview: Listener | None = None
    """Reaches the idle environment. By default the next port after `listen`, on the loopback interface."""
    url: BaseUrl | None = None
    """Where the control plane reaches `listen`, for tests of the active version. By default its address."""
    preview_url: BaseUrl | None = None
    """Where the control plane reaches `preview`, for tests of the idle version. By default its address."""
    forget_after: Timespan | None = None
    """After so long without a connection a proxy is forgotten. By default never: one that is only cut off
    still sends traffic by what it was told last."""

    @model_validator(mode="after")
    def _has_preview(self) -> GatewayEntry:
        if self.preview is None and self.listen.port == 65535:
            raise ValueError("say where to listen for the preview: there is no port after 65535.")
        return self

    def build(self, name: str) -> Gateway:
        return Gateway(
            name,
            self.listen,
            self.preview or Endpoint(LOOPBACK, self.listen.port + 1),
            forget_after=self.forget_after,
            url=self.url,
            preview_url=self.preview_url,
        )
