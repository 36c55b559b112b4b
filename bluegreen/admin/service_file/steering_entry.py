"""What steers single requests past the weights, as the service file writes it."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from bluegreen.admin.service_file.entry import Entry, incomplete
from bluegreen.admin.service_file.problem import quote
from bluegreen.model.secret import SHOWN, Secret
from bluegreen.model.steering import Affinity, AffinitySource, ManualRouting, Mirror, MirroredMethods

_HEADER = r"[A-Za-z][A-Za-z0-9_-]{0,63}"
_COOKIE = r"[A-Za-z0-9_.-]{1,64}"
_VALUE = r"[!-~]{16,256}"  # printable ASCII, no blank


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


def _secret(value: object) -> Secret:
    """No complaint shows the value: what is written wrong may be almost the secret."""
    if value == SHOWN:
        raise ValueError(f"{SHOWN} stands where the secret is not shown: write the secret itself.")
    if isinstance(value, str) and re.fullmatch(_VALUE, value):
        return Secret(value)
    raise ValueError(
        "must be a text of 16 to 256 printable ASCII characters without blanks that nobody guesses, "
        "such as `openssl rand -hex 16` gives (in quotes, if it is all digits)."
    )


def _mapping(value: Any) -> Any:
    if value is not None and not isinstance(value, dict):
        raise ValueError("must be a mapping such as {header: x-candidate, value: SECRET}.")
    return value


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


SecretText = Annotated[
    Secret,
    PlainValidator(_secret),
    WithJsonSchema({"type": "string", "pattern": f"^{_VALUE}$", "writeOnly": True}),
]


class ManualRoutingEntry(Entry):
    """Requests with this header go to the candidate, whatever its weight."""

    header: HeaderName
    value: SecretText
    """A secret: whoever knows it reaches a version that is not released."""

    def build(self) -> ManualRouting:
        return ManualRouting(self.header, self.value)


ManualRoutingOrNone = Annotated[ManualRoutingEntry | None, BeforeValidator(_mapping)]


def _hundredths(percent: float) -> float:
    if round(percent, 2) != percent:
        raise ValueError(f"must have two decimals at most, not {percent}.")
    return percent


class MirrorEntry(Entry):
    """A share of the requests is copied to the candidate; its answers to them are thrown away."""

    percent: Annotated[float, Field(ge=0.01, le=100), AfterValidator(_hundredths)]
    """With two decimals at most."""
    methods: Annotated[MirroredMethods, Field(strict=False)] = MirroredMethods.SAFE
    """safe: GET, HEAD and OPTIONS. all: a copied POST acts a second time."""

    def build(self) -> Mirror:
        return Mirror(self.percent, self.methods)
