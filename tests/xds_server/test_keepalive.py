"""Peers that die without a word."""

from __future__ import annotations

import asyncio
import struct

import grpc

from xds_server import XdsServer, server_options

HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
NO_SETTINGS = struct.pack(">HBBBL", 0, 0, 4, 0, 0)
FASTER = 20


async def test_a_peer_that_answers_no_ping_is_dropped(server: XdsServer) -> None:
    """With the options as they are, save that each of their times is a 20th."""
    options = [(name, value // FASTER if name.endswith("_ms") else value) for name, value in server_options()]
    listening = grpc.aio.server(options=options)
    server.add_to(listening)
    port = listening.add_insecure_port("127.0.0.1:0")
    await listening.start()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HTTP2_PREFACE + NO_SETTINGS)
        async with asyncio.timeout(20):
            while await reader.read(4096):
                pass  # its settings, its pings
        writer.close()
    finally:
        await listening.stop(None)
