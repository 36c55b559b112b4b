"""A process that calls a service over `xds:///` until its input ends, and prints who answered each call.

Run as `python grpc_client.py XDS_ADDRESS TARGET`; failures are printed as "failed: ...".
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any

address, target = sys.argv[1:]
os.environ["GRPC_XDS_BOOTSTRAP_CONFIG"] = json.dumps(
    {
        "xds_servers": [
            {
                "server_uri": address,
                "channel_creds": [{"type": "insecure"}],
                "server_features": ["xds_v3"],
            }
        ],
        "node": {"id": "grpc-client", "cluster": "edge"},
    }
)

import grpc  # noqa: E402 - reads the environment when it is loaded

ended = threading.Event()


def watch() -> None:
    sys.stdin.read()
    ended.set()


threading.Thread(target=watch, daemon=True).start()
with grpc.insecure_channel(f"xds:///{target}") as channel:
    call: Any = channel.unary_unary("/test.Echo/Who")
    while not ended.is_set():
        try:
            print(call(b"", timeout=10, wait_for_ready=True).decode(), flush=True)
        except grpc.RpcError as error:
            print(f"failed: {error.code()} {error.details()}", flush=True)
