"""What steers single requests past the weights, as the service file writes it."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import ConfigDict, PlainValidator, WithJsonSchema, model_validator

from bluegreen.admin.service_file.entry import Entry, incomplete
from bluegreen.admin.service_file.problem import quote
from bluegreen.model.steering import Affinity, AffinitySource

_HEADER = r"[A-Za-z][A-Za-z0-9_-]{0,63}"
_COOKIE = r"[A-Za-z0-9_.-]{1,64}"


def _header(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(_HEADER, value):
        return value.lower()  # HTTP knows no case here, and HTTP/2 only lower case
    raise ValueError(
        f"{quote(value)} is no name of a header: up to 64 of a-z, 0-9, - and _, with a letter first."
    )


def _cookie(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(_COOKIE, value):
        return value
    raise ValueError(f"{quote(value)} is no name of a cookie: up to 64 of A-Z, a-z, 0-9, -, _ and the dot.")


HeaderName = Annotated[
    str, PlainValidator(_header), WithJsonSchema({"type": "string", "pattern": f"^{_HEADER}$"})
]
CookieName = Annotated[
    str, PlainValidator(_cookie), WithJsonSchema({"type": "string", "pattern": f"^{_COOKIE}$"})
]


class AffinityEntry(Entry):
    """What tells users apart, so that each stays on one side while the weights move."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["header"]}, {"required": ["cookie"]}]}
    )

    header: HeaderName | None = None
    cookie: CookieName | None = None

    @model_validator(mode="after")
    def _one_source(self) -> AffinityEntry:
        if self.header is None and self.cookie is None:
            raise incomplete("give header or cookie, such as {header: x-user}.")
        if self.header is not None and self.cookie is not None:
            raise ValueError("give header or cookie, not both.")
        if self.header == "cookie":
            raise ValueError("write {cookie: NAME}: the whole header changes with every other cookie.")
        return self

    def build(self) -> Affinity:
        if self.header is not None:
            return Affinity(AffinitySource.HEADER, self.header)
        return Affinity(AffinitySource.COOKIE, self.cookie or "")
