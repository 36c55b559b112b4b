"""All that the service file describes: gateways, and the services that they carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bluegreen.model.gateway import Gateway
from bluegreen.model.service import Service


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Gateways and services by name."""

    gateways: Mapping[str, Gateway] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)


class ChangeKind(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of what an `apply` changes, such as services.shop.drain.deadline: 60.0 -> 30.0."""

    kind: ChangeKind
    path: str
    before: str = ""
    after: str = ""
