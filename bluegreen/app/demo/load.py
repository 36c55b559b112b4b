"""A load that hides nothing: `python -m bluegreen.app.demo.load --target http://127.0.0.1:10000 --rate 400`.

Requests begin when the plan says, however long others take, and their latency counts from then: a stall
shows in every request that it delays. Each is sent once. What is not a whole, right answer is a failure, but
for what a version damaged on purpose and marked so (see `faults`): that is counted by itself.

Each interval prints a report, a JSON line (see `load_report`), and the end one more over the whole run. After
SIGTERM or SIGINT it begins no more requests and finishes those in flight. It exits 0 whatever fails, and 2
for a mistake on the command line.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from itertools import count

from bluegreen.app.demo.connection_pool import ConnectionPool, Http1Pool, Http2Pool
from bluegreen.app.demo.exchange import Failure, RequestFailed, fault_of, version_of
from bluegreen.app.demo.load_plan import LoadPlan, Protocol, Shot, Target, shot
from bluegreen.app.demo.load_recorder import LoadRecorder
from bluegreen.app.demo.load_report import LoadReport
from bluegreen.app.demo.roster import Roster


class Load:
    """Makes one load."""

    def __init__(self, plan: LoadPlan, report: Callable[[LoadReport], None]) -> None:
        self._plan = plan
        self._report = report
        self._recorder = LoadRecorder()
        self._roster = Roster(plan.people)
        self._pacing: asyncio.Task[None] | None = None
        self._began = 0.0
        self._pools: Mapping[tuple[Target, Protocol], ConnectionPool] = {
            (target, protocol): self._pool(target, protocol)
            for target in plan.targets
            for protocol in plan.protocols
        }

    def stop(self) -> None:
        """Begin no more requests."""
        if self._pacing:
            self._pacing.cancel()

    async def run(self) -> None:
        """Run until the plan's duration is over or `stop` is called and everything in flight has ended."""
        self._began = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as tasks:
            reporting = tasks.create_task(self._report_each_interval())
            async with asyncio.TaskGroup() as requests:
                self._pacing = requests.create_task(self._begin_requests(requests))
            reporting.cancel()
        for pool in self._pools.values():
            pool.sweep()
        self._report(self._recorder.interval(self._now()))
        self._report(self._recorder.whole(self._now()))
        for pool in self._pools.values():
            pool.close()

    async def _begin_requests(self, requests: asyncio.TaskGroup) -> None:
        for number in count():
            begin = number / self._plan.rate
            if self._plan.duration is not None and begin >= self._plan.duration:
                return
            await asyncio.sleep(max(0.0, begin - self._now()))
            requests.create_task(self._send(shot(self._plan, number), begin))

    async def _send(self, shot: Shot, begin: float) -> None:
        self._recorder.in_flight += 1
        since = self._roster.begin(shot.person) if shot.person else 0
        try:
            async with asyncio.timeout(self._plan.timeout):
                answer = await self._pools[shot.target, shot.protocol].exchange(shot.request)
            fault = fault_of(answer)
            if fault and answer.status != HTTPStatus.OK:
                self._recorder.spoiled(shot, fault, time.time())
                return
            version = version_of(shot.request, answer)
            if shot.person:
                self._roster.check(shot.person, since, answer)
        except RequestFailed as failure:
            self._recorder.failed(shot, failure, self._now())
        except TimeoutError:
            late = RequestFailed(Failure.TIMEOUT, f"no whole answer within {self._plan.timeout:g} s")
            self._recorder.failed(shot, late, self._now())
        else:
            self._recorder.answered(shot, version, self._now() - begin)
            if fault:
                self._recorder.late(fault, time.time())
        finally:
            self._recorder.in_flight -= 1

    async def _report_each_interval(self) -> None:
        for number in count(1):
            await asyncio.sleep(max(0.0, number * self._plan.interval - self._now()))
            for pool in self._pools.values():
                pool.sweep()
            self._report(self._recorder.interval(self._now()))

    def _pool(self, target: Target, protocol: Protocol) -> ConnectionPool:
        match protocol:
            case Protocol.HTTP1:
                return Http1Pool(target, self._recorder)
            case Protocol.HTTP2:
                return Http2Pool(target, self._recorder, self._plan.http2_connections)

    def _now(self) -> float:
        return asyncio.get_running_loop().time() - self._began


async def run(plan: LoadPlan) -> None:
    """Make the load, printing its reports, until it is over or a signal ends it."""
    load = Load(plan, lambda report: print(report.to_json(), flush=True))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, load.stop)
    await load.run()


def parse(arguments: list[str]) -> LoadPlan:
    """The plan on the command line; a mistake ends the process with status 2 and a sentence."""
    parser = argparse.ArgumentParser(prog="python -m bluegreen.app.demo.load", description=__doc__)
    add = parser.add_argument
    add(
        "--target",
        dest="targets",
        action="append",
        required=True,
        metavar="http://HOST:PORT",
        help="repeatable",
    )
    add(
        "--protocol",
        dest="protocols",
        action="append",
        choices=list(Protocol),
        help="repeatable; both if not given",
    )
    add("--rate", type=float, default=400.0, help="requests/s over all targets together")
    add("--duration", type=float, help="seconds; until a signal if not given")
    add("--authority", help="the host to ask for; the target's own if not given")
    add("--slow-share", type=float, default=0.02, help="share of requests that ask for a slow answer")
    add("--slow-seconds", type=float, default=1.0, help="how slow")
    add("--timeout", type=float, default=10.0, help="seconds for each answer")
    add("--http2-connections", type=int, default=2, help="connections to each target by HTTP/2")
    add("--interval", type=float, default=0.25, help="seconds between reports")
    add("--people", type=int, default=0, help="so many are in the application's database, to be asked about")
    options = vars(parser.parse_args(arguments))
    try:
        options["targets"] = tuple(Target.parse(url) for url in options["targets"])
        options["protocols"] = tuple(Protocol(name) for name in options["protocols"] or Protocol)
        return LoadPlan(**options)
    except ValueError as error:
        parser.error(str(error))


def main() -> None:
    """The command line."""
    asyncio.run(run(parse(sys.argv[1:])))


if __name__ == "__main__":
    main()
