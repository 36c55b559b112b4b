"""What a user of the library may set, with defaults that suit thousands of proxies."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .types import WELL_KNOWN


class References(StrEnum):
    """How the references inside a snapshot are checked before it is published."""

    FREE = "free"
    """Not at all: the user may have static clusters, or serve endpoints alone."""
    STRICT = "strict"
    """Route to cluster, cluster to endpoints, listener to route must each resolve inside the snapshot."""


@dataclass(frozen=True, slots=True)
class XdsSettings:
    """Limits and choices of one server; times in seconds, sizes in bytes or counts."""

    types: frozenset[str] = WELL_KNOWN
    """Type URLs that are served; those of published resources are served without being named here."""
    references: References = References.FREE
    max_names: int = 65_536
    """Resource names that one stream may subscribe to, per type."""
    max_name_bytes: int = 4_096
    supersede_after: float = 0.5
    """How long an unacknowledged response holds back a newer state of its type."""
    endpoints_asked_within: float = 0.25
    """How long routes wait for a client that has accepted clusters to ask for their endpoints."""
    nack_text_chars: int = 4_096
    """What is kept of a NACK's text."""


def server_options(*, max_message_bytes: int = 16 * 1024 * 1024) -> list[tuple[str, int]]:
    """Options for ``grpc.aio.server`` under a fleet that connects all at once and then mostly listens.

    Stock gRPC refuses streams in a storm (two limits on pending requests) and probes the bandwidth of each
    connection, which costs a third of the CPU of a small push.
    """
    return [
        ("grpc.so_reuseport", 0),
        ("grpc.http2.bdp_probe", 0),
        # A first request of 61 KB is not taken in before its stream is read: of a fleet that connects all at
        # once they would lie in memory together, and what held them stays with the process (24 KiB a proxy).
        ("grpc.http2.lookahead_bytes", 4096),
        # A stream says its few headers once: a table to say them shorter the next time costs each connection
        # 5 KiB, and a tenth of the CPU of connecting.
        ("grpc.http2.hpack_table_size.encoder", 0),
        # Kept for each connection, for whoever asks the channelz service, which is not offered here.
        ("grpc.enable_channelz", 0),
        ("grpc.server.max_pending_requests", 1_000_000),
        ("grpc.server.max_pending_requests_hard_limit", 2_000_000),
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", -1),
        # Keepalive finds peers that died without a word: a ping each 30 s, dead after 10 s without an answer.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.http2.ping_timeout_ms", 10_000),  # a minute by default, whatever the line above says
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 1_000),
        ("grpc.http2.max_ping_strikes", 0),
    ]
