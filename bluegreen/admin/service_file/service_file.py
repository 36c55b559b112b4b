"""The whole service file: its shape, and its JSON Schema."""

from __future__ import annotations

from typing import Any

from pydantic import Field, JsonValue

from bluegreen.admin.service_file.entry import Entry
from bluegreen.admin.service_file.fields import Name
from bluegreen.admin.service_file.gateway_entry import GatewayEntry
from bluegreen.admin.service_file.service_entry import ServiceEntry
from bluegreen.model.catalogue import Catalogue

# pydantic turns the names into `patternProperties`, which alone would let any other name through.
_ONLY_NAMES: dict[str, JsonValue] = {"additionalProperties": False}


class ServiceFile(Entry):
    """Gateways, and the services that they carry."""

    gateways: dict[Name, GatewayEntry] = Field(default_factory=dict, json_schema_extra=_ONLY_NAMES)
    services: dict[Name, ServiceEntry] = Field(default_factory=dict, json_schema_extra=_ONLY_NAMES)

    def build(self) -> Catalogue:
        return Catalogue(
            {name: entry.build(name) for name, entry in self.gateways.items()},
            {name: entry.build(name) for name, entry in self.services.items()},
        )


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the service file, for editors and `check-jsonschema`.

    It knows the shape; what only the whole file can show (an unknown gateway, two services with the same
    route) is told by `apply --dry-run`.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **ServiceFile.model_json_schema(),
        "title": "bluegreen service file",
    }
