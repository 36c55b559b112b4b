"""Very many requests in flight at once."""

from __future__ import annotations

from bluegreen.app.demo.load_plan import LoadPlan, Protocol, Target

SENT_A_SECOND = 4_000.0  # asked for; the load goes as fast as it can
REQUESTS_A_CONNECTION = 250


def flood_plan(*urls: str, requests: int = 10_000, seconds: float = 10.0, authority: str = "") -> LoadPlan:
    """`requests` by HTTP/2, each asking for an answer that takes `seconds`: all are in flight together, if
    `seconds` is more than it takes to send them (5 s for 10,000 on two cores). Then
    `await load.until(lambda report: report.in_flight == requests)`, and `await load.finished()`.
    """
    targets = tuple(Target.parse(url) for url in urls)
    return LoadPlan(
        targets,
        rate=SENT_A_SECOND,
        duration=requests / SENT_A_SECOND,
        authority=authority or None,
        protocols=(Protocol.HTTP2,),
        slow_share=1.0,
        slow_seconds=seconds,
        timeout=seconds + 30.0,
        http2_connections=max(1, requests // len(targets) // REQUESTS_A_CONNECTION),
    )
