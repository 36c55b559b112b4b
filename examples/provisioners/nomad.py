#!/usr/bin/env python3
"""Has Nomad run the instances, through its HTTP API: one job an instance, so that each can be stopped alone.

    nomad.py --job shop.json --port http VERB

The job is what `nomad job run -output shop.nomad.hcl` prints, its group with count 1 and a dynamic port that
is labelled `http`; its tasks find VERSION in their environment. The `kill_timeout` of a task is the time
from its signal to its end. Nomad itself brings back what dies.
"""

from __future__ import annotations

import copy
import json
import urllib.parse
import urllib.request
import uuid
from pathlib import Path
from typing import Any

from contract import Instance, Wanted, answer, parser

TIMEOUT = 30.0


class Nomad:
    def __init__(self, address: str, token: str, job: dict[str, Any], port: str) -> None:
        self.address, self.token, self.job, self.port = address.rstrip("/"), token, job, port

    def up(self, wanted: Wanted) -> None:
        leaving = {each["JobID"] for each in self.allocations(wanted) if each["ID"] in wanted.leaving}
        staying = [each for each in self.jobs(wanted) if not each["Stop"] and each["ID"] not in leaving]
        for _ in range(wanted.capacity - len(staying)):
            job = copy.deepcopy(self.job)
            job["ID"] = job["Name"] = f"{wanted.pool}-{uuid.uuid4().hex[:8]}"
            for group in job["TaskGroups"]:
                for task in group["Tasks"]:
                    task["Env"] = (task.get("Env") or {}) | {"VERSION": wanted.version}
            self.call("POST", "/v1/jobs", {"Job": job})

    def stop(self, wanted: Wanted) -> None:
        """Those that still end are told as stopping, and asked about until they are gone."""
        going = {each["JobID"] for each in self.allocations(wanted) if wanted.goes(each["ID"])}
        for job in self.jobs(wanted):
            # One that has no allocation yet goes as well where all are to go.
            if not job["Stop"] and (job["ID"] in going or wanted.capacity == 0):
                self.call("DELETE", f"/v1/job/{urllib.parse.quote(job['ID'])}")

    def endpoints(self, wanted: Wanted) -> list[Instance]:
        states = {"pending": "starting", "running": "up"}
        stopped = {each["ID"] for each in self.jobs(wanted) if each["Stop"]}
        instances = []
        for each in self.allocations(wanted):
            ports = self.call("GET", f"/v1/allocation/{each['ID']}")["AllocatedResources"]["Shared"]["Ports"]
            address = next(port for port in ports if port["Label"] == self.port)
            state = "stopping" if each["JobID"] in stopped else states[each["ClientStatus"]]
            since = each["CreateTime"] / 1e9
            endpoint = f"{address['HostIP']}:{address['Value']}"
            instances.append(Instance(each["ID"], endpoint, state, since=since))
        return instances

    def jobs(self, wanted: Wanted) -> list[dict[str, Any]]:
        prefix = f"{wanted.pool}-"
        found = self.call("GET", f"/v1/jobs?prefix={urllib.parse.quote(prefix)}")
        # shop-7- is also the beginning of shop-7-1-..., another pool's.
        return [each for each in found if each["ID"].removeprefix(prefix).isalnum()]

    def allocations(self, wanted: Wanted) -> list[dict[str, Any]]:
        """Those that run, or will."""
        ids = [urllib.parse.quote(each["ID"]) for each in self.jobs(wanted)]
        found = [each for job in ids for each in self.call("GET", f"/v1/job/{job}/allocations")]
        return [each for each in found if each["ClientStatus"] in ("pending", "running")]

    def call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} | ({"X-Nomad-Token": self.token} if self.token else {})
        request = urllib.request.Request(self.address + path, data, headers, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310 - the operator's address
            return json.load(response)


if __name__ == "__main__":
    options = parser(__doc__)
    options.add_argument("--address", default="http://127.0.0.1:4646")
    options.add_argument("--token-file", type=Path)
    options.add_argument("--job", type=Path, required=True, help="in JSON")
    options.add_argument("--port", required=True, help="its label")
    given = options.parse_args()
    token = given.token_file.read_text().strip() if given.token_file else ""
    job = json.loads(given.job.read_text())
    answer(Nomad(given.address, token, job.get("Job", job), given.port), given.verb)
