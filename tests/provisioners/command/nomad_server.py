"""Stands in for a Nomad server: jobs and their allocations, as its HTTP API tells of them."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web


class NomadServer:
    def __init__(self) -> None:
        self.address = ""
        self.jobs: dict[str, dict[str, Any]] = {}
        self.allocations: dict[str, dict[str, Any]] = {}
        self._ending: set[str] = set()

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator[NomadServer]:
        server = cls()
        application = web.Application()
        application.add_routes(
            [
                web.post("/v1/jobs", server._register),
                web.get("/v1/jobs", server._list),
                web.delete("/v1/job/{id}", server._stop),
                web.get("/v1/job/{id}/allocations", server._allocations_of),
                web.get("/v1/allocation/{id}", server._allocation),
            ]
        )
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield server
        finally:
            await runner.cleanup()

    def _look_at(self, allocation: dict[str, Any]) -> None:
        """What is stopped is seen running once more, and has ended when it is looked at again."""
        if self.jobs[allocation["JobID"]]["Stop"]:
            if allocation["ID"] in self._ending:
                allocation["ClientStatus"] = "complete"
            self._ending.add(allocation["ID"])

    async def _register(self, request: web.Request) -> web.Response:
        if request.headers.get("X-Nomad-Token") != "hunter2":
            return web.Response(status=403, text="Permission denied")
        job = (await request.json())["Job"]
        self.jobs[job["ID"]] = {**job, "Stop": False, "Status": "running"}
        name = str(uuid.uuid4())
        self.allocations[name] = {
            "ID": name,
            "JobID": job["ID"],
            "ClientStatus": "running",
            "CreateTime": time.time_ns(),
            "AllocatedResources": {
                "Shared": {
                    "Ports": [{"Label": "http", "Value": 20000 + len(self.jobs), "HostIP": "10.0.0.1"}]
                }
            },
        }
        return web.json_response({"EvalID": str(uuid.uuid4())})

    async def _list(self, request: web.Request) -> web.Response:
        found = [each for key, each in self.jobs.items() if key.startswith(request.query["prefix"])]
        return web.json_response([{key: each[key] for key in ("ID", "Stop", "Status")} for each in found])

    async def _stop(self, request: web.Request) -> web.Response:
        self.jobs[request.match_info["id"]]["Stop"] = True
        return web.json_response({"EvalID": str(uuid.uuid4())})

    async def _allocations_of(self, request: web.Request) -> web.Response:
        found = [each for each in self.allocations.values() if each["JobID"] == request.match_info["id"]]
        for each in found:
            self._look_at(each)
        shown = ("ID", "JobID", "ClientStatus", "CreateTime")
        return web.json_response([{key: each[key] for key in shown} for each in found])

    async def _allocation(self, request: web.Request) -> web.Response:
        return web.json_response(self.allocations[request.match_info["id"]])
