"""The test of the demo's service file that its database is asked for: one person is named, and read again.

After an expand it is made of the active version too, which must not have noticed.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request

from bluegreen.app.demo.person import name_of

TESTED_PERSON = 1_000_000_000
"""And those after it: a test must not name anybody whom others name at the same time."""

TIMEOUT = 10.0


def main() -> None:
    """Print what came of it; exit 1 where that is wrong."""
    url, version = os.environ["BLUEGREEN_URL"], os.environ["BLUEGREEN_VERSION"]
    number = TESTED_PERSON + os.getpid()
    person, name = f"{url}/people/{number}", name_of(number)
    for body in (json.dumps({"name": name}).encode(), None):
        with urllib.request.urlopen(person, body, TIMEOUT) as answer:  # noqa: S310 - our own listener
            got = json.load(answer)
        if (got["version"], got["person"]["name"]) != (version, name):
            sys.exit(f"{person} answered {got}, and not {version} with {name!r}")
    print(f"{version} has written and read {name!r}")


if __name__ == "__main__":
    main()
