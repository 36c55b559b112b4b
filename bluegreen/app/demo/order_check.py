"""The integration test of the demo's service file, a command as a user might have one.

The control plane tells it in its environment where the version is to be reached and which one it must be
(see `bluegreen.model.checker.Target`). It posts an order there and exits 0 if that version has got it whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import urllib.request

ORDER = b'{"order": 1}' * 100
TIMEOUT = 10.0


def main() -> None:
    """Print what came of it; exit 1 where that is wrong."""
    url, version = os.environ["BLUEGREEN_PREVIEW_URL"], os.environ["BLUEGREEN_VERSION"]
    with urllib.request.urlopen(f"{url}/orders", ORDER, TIMEOUT) as answer:  # noqa: S310 - our own preview
        got = json.load(answer)
    if (got["version"], got["sha256"]) != (version, hashlib.sha256(ORDER).hexdigest()):
        sys.exit(f"{url} answered {got}, and not {version} with the order's digest")
    print(f"{version} has got the order: {got['length']} bytes")


if __name__ == "__main__":
    main()
