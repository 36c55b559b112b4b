#!/usr/bin/env python3
"""Runs each instance on a machine of its own in Amazon EC2, by way of the AWS command line.

    ec2.py --launch-template shop --port 8080 VERB

The machine's tags are the only state; its launch template has the image, which finds the tag `version` in
the instance metadata (allow tags there) and starts that version. Terminating a machine shuts it down in
order: its services get SIGTERM. Region and credentials are those of ~/.aws, or of the machine.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from datetime import datetime
from typing import Any

from contract import Instance, Wanted, answer, parser

STATES = {"pending": "starting", "running": "up", "shutting-down": "stopping", "stopping": "stopping"}


class Ec2:
    def __init__(self, launch_template: str, port: int) -> None:
        self.launch_template, self.port = launch_template, port

    def up(self, wanted: Wanted) -> None:
        staying = [each for each in machines(wanted) if STATES[each["State"]["Name"]] != "stopping"]
        present = [each["InstanceId"] for each in staying]
        if missing := wanted.missing(present):
            pairs = {"bluegreen-pool": wanted.pool, "Name": wanted.pool, "version": wanted.version}
            tags = [{"Key": key, "Value": value} for key, value in pairs.items()]
            aws(
                "run-instances",
                *("--launch-template", json.dumps({"LaunchTemplateName": self.launch_template})),
                *("--count", str(missing), "--client-token", token(wanted.pool, present)),
                *("--tag-specifications", json.dumps([{"ResourceType": "instance", "Tags": tags}])),
            )

    def stop(self, wanted: Wanted) -> None:
        """Those that still end are told as stopping, and asked about until they are gone."""
        if going := [each["InstanceId"] for each in machines(wanted) if wanted.goes(each["InstanceId"])]:
            aws("terminate-instances", "--instance-ids", *going)

    def endpoints(self, wanted: Wanted) -> list[Instance]:
        return [
            Instance(
                each["InstanceId"],
                f"{each['PrivateIpAddress']}:{self.port}",
                STATES[each["State"]["Name"]],
                since=datetime.fromisoformat(each["LaunchTime"]).timestamp(),
            )
            for each in machines(wanted)
            if each.get("PrivateIpAddress")  # it has none in its first moments
        ]


def machines(wanted: Wanted) -> list[dict[str, Any]]:
    tag = {"Name": "tag:bluegreen-pool", "Values": [wanted.pool]}
    state = {"Name": "instance-state-name", "Values": list(STATES)}
    found = aws("describe-instances", "--filters", json.dumps([tag, state]))
    return [machine for reservation in found["Reservations"] for machine in reservation["Instances"]]


def token(pool: str, present: list[str]) -> str:
    """EC2 shows a new machine only after a while: with the same token, what is said twice within some
    minutes is done once. Later it is a new wish, as when a machine has died."""
    minutes = int(time.time() // 300)
    return hashlib.sha256(json.dumps([pool, sorted(present), minutes]).encode()).hexdigest()


def aws(verb: str, *arguments: str) -> Any:
    command = ["aws", "ec2", verb, "--output", "json", *arguments]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)  # noqa: S603


if __name__ == "__main__":
    options = parser(__doc__)
    options.add_argument("--launch-template", required=True)
    options.add_argument("--port", type=int, required=True)
    given = options.parse_args()
    answer(Ec2(given.launch_template, given.port), given.verb)
