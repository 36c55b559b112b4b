"""The names of resources and statistics, and how to read them back.

All of them begin with PREFIX, and none contains a dot: a dot ends a name within a statistic. The
bootstrap's pattern of statistics is fixed when an Envoy starts and rests on both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

PREFIX = "bluegreen/"
PREVIEW = "/preview"


class Twin(StrEnum):
    """A second cluster of a revision, for requests that are to stay out of its figures."""

    PREVIEW = "preview"  # those of the preview listener
    MANUAL = "manual"  # those of chosen users
    MIRROR = "mirror"  # copies, whose answers nobody sees


_TWINS = "|".join(Twin)
_CLUSTER = re.compile(rf"{PREFIX}(?P<service>[^/.]+)/(?P<revision>[1-9][0-9]*)(?:/(?P<twin>{_TWINS}))?")
_GATEWAY = re.compile(rf"{PREFIX}(?P<gateway>[^/.]+)(?P<preview>{PREVIEW})?")


class ClusterName(NamedTuple):
    """A revision of a service to a proxy. `twin`: the one that only its own routes name; None: the cluster of
    the production traffic. A tuple, since all that thousands of proxies report is looked up by it."""

    service: str
    revision: int
    twin: Twin | None = None

    def __str__(self) -> str:
        name = f"{PREFIX}{self.service}/{self.revision}"
        return name if self.twin is None else f"{name}/{self.twin}"

    @classmethod
    def parse(cls, text: str) -> ClusterName | None:
        """Read a cluster's name back; None where it is not one of ours."""
        match = _CLUSTER.fullmatch(text)
        if match is None:
            return None
        return cls(match["service"], int(match["revision"]), Twin(match["twin"]) if match["twin"] else None)


@dataclass(frozen=True, slots=True)
class ListenerName:
    """One of a gateway's two listeners. Its route table and its statistics have the same name."""

    gateway: str
    preview: bool = False

    def __str__(self) -> str:
        return f"{PREFIX}{self.gateway}{PREVIEW if self.preview else ''}"

    @classmethod
    def parse(cls, text: str) -> ListenerName | None:
        """Read the name of a listener, a route table or its statistics; None where it is not ours."""
        match = _GATEWAY.fullmatch(text)
        return None if match is None else cls(match["gateway"], match["preview"] is not None)


def cluster_name(service: str, revision: int) -> str:
    """The cluster of a revision, which is also the name of its endpoints (EDS).

    One name per revision, never used again: an Envoy adds a new cluster's figures to those of an older one
    of the same name as long as requests are pinned to it.
    """
    return str(ClusterName(service, revision))


def twin_name(service: str, revision: int, twin: Twin) -> str:
    return str(ClusterName(service, revision, twin))


def route_table_name(gateway: str) -> str:
    return str(ListenerName(gateway))


def preview_route_table_name(gateway: str) -> str:
    return str(ListenerName(gateway, preview=True))


def listener_name(gateway: str) -> str:
    return str(ListenerName(gateway))


def preview_listener_name(gateway: str) -> str:
    return str(ListenerName(gateway, preview=True))
