"""The tables of whole releases."""

from __future__ import annotations

from statistics import quantiles

from bench.backfills import backfill
from bench.cutovers import Cutovers, Move, real_cutovers, simulated_cutovers
from bench.endpoints import many_endpoints
from bench.listening import listening
from bench.many_services import at_once, weight_change

ROUNDS = 5
CHANGES = 30
PROXIES_OF_MANY_SERVICES = 50
SMALL_FLEET = 4
LISTEN_SECONDS = 20.0
CHANGED_INSTANCES = 20


async def cutovers(proxies: int) -> None:
    print(
        "| proxies | connect, s | deploy to ready, s | CPU of it, s | move | last ACK, ms | skew, ms "
        "| last proxy, ms | done, ms | CPU, ms | longest answer, ms |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    _print_cutovers(await real_cutovers(ROUNDS))
    _print_cutovers(await simulated_cutovers(proxies, ROUNDS))


def _print_cutovers(figures: Cutovers) -> None:
    first = (
        f"| {figures.proxies} | {figures.connect:.2f} | {figures.ready:.1f} | {figures.ready_cpu:.2f} "
        f"| promote | {_move(figures.promote)} | {figures.longest_answer * 1e3:.0f} |"
    )
    print(first)
    print(f"| | | | | rollback | {_move(figures.rollback)} | |", flush=True)


def _move(move: Move) -> str:
    received = f"{move.received * 1e3:.0f}" if move.received else ""
    return (
        f"{move.acknowledged * 1e3:.0f} | {move.skew * 1e3:.1f} | {received} | {move.finished * 1e3:.0f} "
        f"| {move.cpu * 1e3:.0f}"
    )


async def weights(sizes: list[int]) -> None:
    print("| services on the gateway | proxies | CPU a weight change, ms | command to last ACK, ms |")
    print("|---|---|---|---|")
    for services in sizes:
        f = await weight_change(services, PROXIES_OF_MANY_SERVICES, CHANGES)
        print(
            f"| {f.services:,} | {f.proxies} | {f.cpu * 1e3:.0f} | {f.acknowledged * 1e3:.0f} |", flush=True
        )


async def many(services: int) -> None:
    print(
        "| services at once | proxies | all ready, s | all moved, s | CPU for each, ms "
        "| answer, median, ms | 99 % | longest |"
    )
    print("|---|---|---|---|---|---|---|---|")
    f = await at_once(services, SMALL_FLEET)
    print(
        f"| {f.services} | {f.proxies} | {f.ready:.1f} | {f.moved:.1f} | {f.cpu / f.services * 1e3:.0f} "
        f"| {f.answers.quantile(0.5) * 1e3:.1f} | {f.answers.quantile(0.99) * 1e3:.0f} "
        f"| {f.answers.longest * 1e3:.0f} |",
        flush=True,
    )


async def metrics(proxies: int) -> None:
    print("| proxies | under way | flushes a second | bytes each | share of a core | longest answer, ms |")
    print("|---|---|---|---|---|---|")
    for f in await listening(proxies, LISTEN_SECONDS):
        what = "a service waits" if f.waiting else "nothing"
        print(
            f"| {f.proxies:,} | {what} | {f.flushes:.0f} | {f.flush:,} | {f.share:.2f} "
            f"| {f.longest_answer * 1e3:.0f} |",
            flush=True,
        )


async def endpoints(sizes: list[int]) -> None:
    print(
        "| instances of each environment | deploy to ready, s | CPU of it, s | one more or less: CPU, ms "
        "| file to record, ms | record to Envoy, ms | the slowest, ms |"
    )
    print("|---|---|---|---|---|---|---|")
    for size in sizes:
        f = await many_endpoints(size, CHANGED_INSTANCES)
        print(
            f"| {f.instances:,} | {f.ready:.1f} | {f.cpu:.2f} | {f.change.cpu * 1e3:.0f} "
            f"| {f.change.known * 1e3:.0f} | {f.change.reached * 1e3:.0f} | {f.slowest * 1e3:.0f} |",
            flush=True,
        )


async def backfills(rows: int, loads: list[int]) -> None:
    print(
        "| rows | load, % | seconds | rows a second | of each tenth, in thousands "
        "| writes before: median, 99 %, longest, ms | meanwhile |"
    )
    print("|---|---|---|---|---|---|---|")
    for load in loads:
        f = await backfill(rows, load)
        tenths = " ".join(f"{rate / 1e3:.1f}" for rate in f.rates)
        print(
            f"| {f.rows:,} | {f.load} | {f.seconds:.1f} | {f.rows / f.seconds:,.0f} | {tenths} "
            f"| {_waits(f.quiet)} | {_waits(f.writes)} |",
            flush=True,
        )


def _waits(seconds: tuple[float, ...]) -> str:
    hundredths = quantiles(seconds, n=100)
    return f"{hundredths[49] * 1e3:.1f}, {hundredths[98] * 1e3:.1f}, {max(seconds) * 1e3:.0f}"
