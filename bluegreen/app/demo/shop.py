"""An instance of the demo's service, as its service file has the control plane start it.

It is the application of `application`, with what is wrong with its version (see `faults.BAD_VERSIONS`). It
outlives the control plane, as every instance does, but not the demo, not even one that is killed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from bluegreen.app.demo.application import ApplicationOptions, serve
from bluegreen.app.demo.faults import BAD_VERSIONS, Faults
from bluegreen.app.demo.releases import SPLITS

LATENCY = 0.02
"""Seconds that it takes for an answer."""

DEMO_IS_GONE = 1


async def serve_while_runs(demo: int, options: ApplicationOptions) -> None:
    """Serve as `application.serve` does; end at once when the process `demo` does. Raises OSError."""
    pidfd = os.pidfd_open(demo)
    asyncio.get_running_loop().add_reader(pidfd, os._exit, DEMO_IS_GONE)
    await serve(options)


def main() -> None:
    """The command line; the environment is in the variable that the control plane sets."""
    parser = argparse.ArgumentParser(prog="python -m bluegreen.app.demo.shop", description=__doc__)
    parser.add_argument("--version", required=True, help="v3, v4 and v5 are bad ones, v7 splits names")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--demo", type=int, required=True, help="the demo's process: it ends with that")
    given = parser.parse_args()
    options = ApplicationOptions(
        version=given.version,
        environment=os.environ.get("BLUEGREEN_ENVIRONMENT", ""),
        port=given.port,
        latency=LATENCY,
        faults=BAD_VERSIONS.get(given.version, Faults()),
        database=os.environ.get("DATABASE_URL", ""),
        halves=given.version == SPLITS,
    )
    try:
        asyncio.run(serve_while_runs(given.demo, options))
    except ProcessLookupError:
        sys.exit("the demo is gone")
    except OSError as error:
        sys.exit(f"cannot listen on port {given.port}: {error}")


if __name__ == "__main__":
    main()
