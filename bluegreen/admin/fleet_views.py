"""Proxies as the API shows them."""

from __future__ import annotations

from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.fleet import ProxyFacts
from bluegreen.model.traffic_report import BackendReport, ProxyReport

NOT_REPORTED = -1


def proxy_facts_view(proxy: ProxyFacts) -> pb.Proxy:
    types = [
        pb.ResourceTypeView(
            type=each.type,
            sent=each.sent,
            acknowledged=each.acknowledged,
            rejected=each.rejected,
            subscriptions=each.subscriptions,
            nacks=each.nacks,
        )
        for each in proxy.types
    ]
    return pb.Proxy(
        id=proxy.id,
        gateway=proxy.gateway,
        version=proxy.version,
        connected=proxy.is_connected,
        first_seen=proxy.first_seen,
        last_seen=proxy.last_seen,
        connected_since=proxy.connected_since or 0.0,
        reported_at=proxy.reported_at or 0.0,
        types=types,
        refused=proxy.refused,
        has_namesake=proxy.has_namesake,
    )


def proxy_view(proxy: ProxyReport, aggregate: ServiceAggregate) -> pb.ProxyView:
    """One proxy's part in the service, with the backends that it has been told of."""
    expected = {each.revision: each.expected for each in aggregate.deployments}
    return pb.ProxyView(
        proxy=proxy.proxy,
        gateway=proxy.gateway,
        connected=proxy.connected,
        acknowledged=proxy.has_routes,
        acknowledged_after=_acknowledged_after(proxy, aggregate),
        rejected=proxy.rejected or "",
        backends=[
            _backend_view(backend, expected.get(revision, 0), silent=proxy.silent)
            for revision, backend in sorted(proxy.backends.items())
        ],
        silent=proxy.silent,
        has_namesake=proxy.has_namesake,
        listener_rejected=(proxy.listener_rejected or "") if proxy.rejected is None else "",
    )


def _acknowledged_after(proxy: ProxyReport, aggregate: ServiceAggregate) -> float:
    rollout, acknowledged_at = aggregate.rollout, proxy.routes_acknowledged_at
    if rollout is None or acknowledged_at is None or not 0 < rollout.set_at <= acknowledged_at:
        return NOT_REPORTED
    return acknowledged_at - rollout.set_at


def _backend_view(backend: BackendReport, expected: int, *, silent: bool) -> pb.BackendView:
    """What a proxy said before it fell silent is not shown as if it were of now."""
    return pb.BackendView(
        revision=backend.revision,
        acknowledged=backend.acknowledged,
        warming=bool(backend.warming) and not silent,
        healthy=NOT_REPORTED if backend.healthy is None or silent else backend.healthy,
        expected=expected,
        active_requests=NOT_REPORTED if silent else backend.active,
    )
