"""One resource, encoded once."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Self

from .references import Links, read_links
from .types import PREFIX
from .wire import bytes_field, string_field

# The field that names a resource, for the messages that do not call it "name".
_NAME_FIELDS = {"envoy.config.endpoint.v3.ClusterLoadAssignment": "cluster_name"}


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """A named resource of any type in the form in which it is sent.

    ``version`` is a hash of type, name, content and time to live: equal content has an equal version across
    restarts and replicas (row VERSION). ``ttl`` is in seconds; it reaches only clients that announce support
    for it (row TTL).
    """

    type_url: str
    name: str
    body: bytes = field(repr=False)
    ttl: float | None = None
    version: str = field(init=False)
    digest: int = field(init=False, repr=False)
    packed_head: bytes = field(init=False, repr=False)
    _links: Links | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        seal = blake2b(digest_size=16)
        for part in (self.type_url.encode(), self.name.encode(), self.body, str(self.ttl or "").encode()):
            seal.update(len(part).to_bytes(8, "little"))
            seal.update(part)
        set_once = object.__setattr__
        set_once(self, "version", seal.hexdigest())
        set_once(self, "digest", int.from_bytes(seal.digest(), "big"))
        set_once(
            self, "packed_head", string_field(1, self.type_url) + bytes_field(2, self.body, head_only=True)
        )

    @classmethod
    def of(cls, message: Any, *, ttl: float | None = None) -> Self:
        """Encode ``message`` (protobuf) once, deterministically; it is named by its own name field."""
        kind = message.DESCRIPTOR.full_name
        name = getattr(message, _NAME_FIELDS.get(kind, "name"))
        return cls(PREFIX + kind, name, message.SerializeToString(deterministic=True), ttl)

    @classmethod
    def encoded(cls, type_url: str, name: str, body: bytes, links: Links | None = None) -> Self:
        """A resource that is encoded already (a route table put together from encoded virtual hosts).

        ``links`` spares the reading of what it refers to; they must be complete, for updates are ordered by
        them.
        """
        return cls(type_url, name, body, None, links)

    @property
    def key(self) -> tuple[str, str]:
        return (self.type_url, self.name)

    @property
    def links(self) -> Links:
        """What this resource refers to; read from the message the first time it is asked."""
        links = self._links
        if links is None:
            links = read_links(self.type_url, self.body)
            object.__setattr__(self, "_links", links)
        return links
