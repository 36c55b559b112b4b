"""What is kept of an instance."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from bluegreen.model.endpoint import Endpoint


class BrokenRecord(ValueError):
    """Not what was written; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class InstanceRecord:
    """Stored before its process is started, and before that is stopped. `created`: seconds since the epoch;
    `starts`: how often it was started, the one that is about to be included; `proven`: it was up once;
    `leaving`: it is to be stopped, for good. It holds no secret."""

    id: str
    service: str
    environment: str
    revision: int
    version: str
    host: str
    port: int
    created: float
    starts: int = 0
    proven: bool = False
    leaving: bool = False

    @property
    def key(self) -> tuple[str, int]:
        return self.service, self.revision

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(self.host, self.port)

    def encode(self) -> str:
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def decode(cls, text: str, name: str) -> InstanceRecord:
        """The record of the instance of this name. Raises BrokenRecord."""
        try:
            values: Any = json.loads(text)
            record = cls(**values)
        except (ValueError, TypeError) as error:
            raise BrokenRecord(str(error)) from error
        for field in fields(cls):
            if type(getattr(record, field.name)).__name__ != field.type:
                raise BrokenRecord(f"{field.name} is {getattr(record, field.name)!r}")
        if record.id != name:
            raise BrokenRecord(f"it is of another instance, {record.id}")
        return record
