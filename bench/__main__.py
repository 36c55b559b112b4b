"""`python -m bench [PART ...] [--streams N ...]`: the tables of docs/benchmarks.md, as Markdown."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform

from bench import release_tables, scaling
from bench.streams import FLOOR, OURS, Figures, measure

STREAMS = [500, 2_000, 5_000]
SERVICES = [10, 100, 1_000]
PROXIES = 2_000
AT_ONCE = 200
ENDPOINTS = [10, 1_000]
BACKFILLED_ROWS, BACKFILL_LOADS = 1_000_000, [50, 100]


PARTS = ("streams", "growth", "cutovers", "weights", "services", "metrics", "endpoints", "backfills")


async def main(parts: list[str], sizes: list[int], proxies: int) -> None:
    for part in parts or PARTS:
        load = os.getloadavg()[0]
        machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
        print(f"{part}: {machine}, load {load:.1f} at the start\n")
        match part:
            case "streams":
                memory(await streams(sizes))
            case "growth":
                growth()
            case "cutovers":
                await release_tables.cutovers(proxies)
            case "weights":
                await release_tables.weights(SERVICES)
            case "services":
                await release_tables.many(AT_ONCE)
            case "metrics":
                await release_tables.metrics(proxies)
            case "endpoints":
                await release_tables.endpoints(ENDPOINTS)
            case "backfills":
                await release_tables.backfills(BACKFILLED_ROWS, BACKFILL_LOADS)
        print()


async def streams(sizes: list[int]) -> list[Figures]:
    print(
        "| streams | server | connect wall, s | connect CPU, us | refused | push wall, ms | push CPU, us "
        "| client CPU, us | longest GC pause, ms | its CPU, ms |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    measured = []
    for size in sizes:
        for server in ("plain", OURS, FLOOR):
            f = await measure(server, size)
            measured.append(f)
            print(
                f"| {size:,} | {server} | {f.connect_wall:.2f} | {f.connect_cpu:,.0f} | {f.refused} "
                f"| {f.push_wall * 1e3:.0f} | {f.push_cpu:.0f} | {f.push_client_cpu:.0f} "
                f"| {f.pause * 1e3:.0f} | {f.pause_cpu * 1e3:.0f} |",
                flush=True,
            )
    return measured


def memory(figures: list[Figures]) -> None:
    """Per proxy, as the slope between the smallest and the largest fleet; and what reconnects leave."""
    print("\n| server | resident memory per proxy, KiB | of the largest fleet, MiB | after churn |")
    print("|---|---|---|---|")
    for server in ("plain", OURS):
        mine = [f for f in figures if f.server == server]
        small, large = mine[0], mine[-1]
        more = large.streams - small.streams
        slope = f"{(large.resident - small.resident) / more / 1024:.0f}" if more else ""
        churned = f"{large.churned / 2**20:.0f}" if server == OURS else ""
        print(f"| {server} | {slope} | {large.resident / 2**20:.0f} | {churned} |")


def growth() -> None:
    print(
        "| protocol | services | encode and publish, s | first snapshot, ms a proxy "
        "| one change: publish, us | response, us a proxy | ACK, us a proxy |"
    )
    print("|---|---|---|---|---|---|---|")
    for protocol in ("sotw", "delta"):
        for services in SERVICES:
            g = scaling.measure(protocol, services)
            print(
                f"| {protocol} | {services:,} | {g.build:.2f} | {g.first / scaling.PROXIES * 1e3:.2f} "
                f"| {g.publish * 1e3:.0f} | {g.answer * 1e3:.0f} | {g.acknowledge * 1e3:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; none: all")
    parser.add_argument("--streams", type=int, nargs="+", default=STREAMS, help="of the part `streams`")
    parser.add_argument("--proxies", type=int, default=PROXIES, help="of `cutovers` and `metrics`")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    asyncio.run(main(arguments.parts, arguments.streams, arguments.proxies))
