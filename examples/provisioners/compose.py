#!/usr/bin/env python3
"""Has Docker Compose run the instances: one project a revision, one container an instance.

    compose.py --file compose.yaml --app web --port 8080 VERB

The file has a service `web` with `image: shop:${VERSION}`, `ports: ["127.0.0.1::8080"]` (Docker chooses the
port of the host) and `restart: unless-stopped`, so that Docker itself brings back a container that ends.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import Any

from contract import Instance, Wanted, answer, parser

STATES = {"": "up", "healthy": "up", "starting": "starting", "unhealthy": "unhealthy"}
"""By the container's health; empty where it has no health check, and that of the proxies says the rest."""


class Compose:
    def __init__(self, file: str, app: str, port: int, grace: int) -> None:
        self.file, self.app, self.port, self.grace = file, app, port, grace

    def up(self, wanted: Wanted) -> None:
        present = [each["ID"] for each in self.containers(wanted)]
        count = len(present) + wanted.missing(present)  # never fewer: Compose would choose which to stop
        self.compose(wanted, "up", "--detach", "--no-recreate", "--scale", f"{self.app}={count}", self.app)

    def stop(self, wanted: Wanted) -> None:
        if wanted.capacity == 0:
            self.compose(wanted, "down", "--timeout", str(self.grace))
            return
        going = [each["ID"] for each in self.containers(wanted) if wanted.goes(each["ID"])]
        if going:
            docker(["stop", "-t", str(self.grace), *going])
            docker(["rm", *going])

    def endpoints(self, wanted: Wanted) -> list[Instance]:
        instances = []
        for each in self.containers(wanted):
            published = [to for to in each["Publishers"] or [] if to["TargetPort"] == self.port]
            # One that has ended has no port until Docker starts it again.
            if published and published[0]["PublishedPort"]:
                endpoint = f"{published[0]['URL']}:{published[0]['PublishedPort']}"
                state = STATES[each["Health"]] if each["State"] == "running" else "waiting"
                note = "" if state == "up" else each["Status"]
                instances.append(Instance(each["ID"], endpoint, state, note))
        return instances

    def containers(self, wanted: Wanted) -> list[dict[str, Any]]:
        text = self.compose(wanted, "ps", "--all", "--format", "json", self.app)
        # Older versions write one array, newer ones an object a line.
        return json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]

    def compose(self, wanted: Wanted, *arguments: str) -> str:
        project = re.sub(r"[^a-z0-9_-]", "-", wanted.pool.lower())
        return docker(["compose", "-p", project, "-f", self.file, *arguments], VERSION=wanted.version)


def docker(arguments: list[str], **variables: str) -> str:
    """What it prints; its complaints go to our own standard error."""
    command = ["docker", *arguments]
    done = subprocess.run(command, env=os.environ | variables, stdout=subprocess.PIPE, check=True, text=True)  # noqa: S603
    return done.stdout.strip()


if __name__ == "__main__":
    options = parser(__doc__)
    options.add_argument("--file", required=True, help="the Compose file")
    options.add_argument("--app", required=True, help="its service")
    options.add_argument("--port", type=int, required=True, help="in the container")
    options.add_argument("--grace", type=int, default=30, help="seconds from SIGTERM to SIGKILL")
    given = options.parse_args()
    answer(Compose(given.file, given.app, given.port, given.grace), given.verb)
