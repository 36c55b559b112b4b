"""proxies, proxies forget."""

from __future__ import annotations

import time

from rich.text import Text

from bluegreen.admin.cli.connection import connected, origin
from bluegreen.admin.cli.exit_code import ExitCode
from bluegreen.admin.cli.options import Caller
from bluegreen.admin.cli.output import columns, printable, show, show_json, span
from bluegreen.admin.v1 import admin_pb2 as pb

_SHORT = 8
"""Characters of a version, which is a hash: enough to tell two apart."""


def proxies(caller: Caller, gateway: str | None) -> ExitCode:
    with connected(caller) as connection:
        answer = connection.call("ListProxies", pb.ListProxiesRequest(gateway=gateway or ""))
    if caller.json:
        show_json(answer)
        return ExitCode.DONE
    if not answer.proxies:
        show("No proxy has been seen yet: start an Envoy with what bluegreen bootstrap prints.")
        return ExitCode.DONE
    now = time.time()
    table = columns("PROXY", "GATEWAY", "ENVOY", "CONNECTED", "REPORTED", "ACKNOWLEDGED", "REJECTED")
    for proxy in answer.proxies:
        table.add_row(
            proxy.id,
            proxy.gateway,
            proxy.version or "-",
            _connected(proxy, now),
            f"{span(now - proxy.reported_at)} ago" if proxy.reported_at else "-",
            " ".join(f"{each.type}:{_acknowledged(each)}" for each in proxy.types) or "-",
            Text(printable(_complaint(proxy)), "red"),
        )
    show(table)
    return ExitCode.DONE


def _complaint(proxy: pb.Proxy) -> str:
    """What it has rejected, or what is wrong with itself."""
    if proxy.refused:
        return f"turned away: {proxy.refused}"
    namesake = ["another Envoy has the same node id: give each its own"] if proxy.has_namesake else []
    return "; ".join([*namesake, *(f"{each.type}: {each.rejected}" for each in proxy.types if each.rejected)])


def forget(caller: Caller, proxy: str) -> ExitCode:
    with connected(caller) as connection:
        answer = connection.call("ForgetProxy", pb.ForgetProxyRequest(origin=origin(caller), proxy=proxy))
    if caller.json:
        show_json(answer)
    else:
        show(f"{proxy} is forgotten: nothing waits for it any more. If it connects, it is known again.")
    return ExitCode.DONE


def _connected(proxy: pb.Proxy, now: float) -> Text:
    if proxy.connected:
        return Text(f"for {span(now - proxy.connected_since)}", "green")
    return Text(f"no, seen {span(now - proxy.last_seen)} ago", "yellow")


def _acknowledged(view: pb.ResourceTypeView) -> str:
    """The version that it has; marked where that is not the one it was sent."""
    return (view.acknowledged[:_SHORT] or "-") + ("" if view.acknowledged == view.sent else "*")
