"""The HTTP/2 settings, the same towards clients and instances."""

from __future__ import annotations

from envoy.config.core.v3.protocol_pb2 import Http2ProtocolOptions
from google.protobuf.wrappers_pb2 import UInt32Value

# 10,000 requests in flight fit on ten connections; the peer may allow fewer, then Envoy opens more.
MAX_CONCURRENT_STREAMS = 1000
# Bytes that may be under way unread: what one slow reader can make a proxy hold.
STREAM_WINDOW = 256 * 1024
CONNECTION_WINDOW = 4 * 1024 * 1024


def http2_options(
    streams: int = MAX_CONCURRENT_STREAMS, *, allow_connect: bool = False
) -> Http2ProtocolOptions:
    """`streams`: at once on a connection. `allow_connect`: a WebSocket may be opened over HTTP/2 (RFC 8441),
    where a route allows WebSockets."""
    return Http2ProtocolOptions(
        max_concurrent_streams=UInt32Value(value=streams),
        initial_stream_window_size=UInt32Value(value=STREAM_WINDOW),
        initial_connection_window_size=UInt32Value(value=CONNECTION_WINDOW),
        allow_connect=allow_connect,
    )
