"""Gates in the words of the service file; see `bluegreen.model.description`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bluegreen.model.acceptance_test import AcceptanceTest, CommandTest, GrpcTest, HttpTest
from bluegreen.model.analysis import Analysis, Comparing, PrometheusSource, Source, WebhookSource
from bluegreen.model.duration import format_duration
from bluegreen.model.gates import Gates
from bluegreen.model.hook import Hook, Moment
from bluegreen.model.secret import SHOWN, Secret


@dataclass(frozen=True, slots=True)
class SecretUrl(Secret):
    """Shows its host alone: the path of many a webhook is its password."""

    def __str__(self) -> str:
        parts = urlsplit(self.value)
        return f"{parts.scheme}://{parts.netloc}/{SHOWN}"


def describe_gates(gates: Gates) -> dict[str, Any]:
    """Parts that are not there are left out; so is what does not apply."""
    hooks = {moment.value.replace("-", "_"): gates.hooks_at(moment) for moment in Moment}
    return _without_none(
        min_healthy=f"{number(gates.min_healthy)}%",
        tests=[_test(test) for test in gates.tests] or None,
        analysis=_analysis(gates.analysis) if gates.analysis else None,
        hooks={key: [_hook(hook) for hook in those] for key, those in hooks.items() if those} or None,
    )


def number(value: float) -> float:
    """Without a fraction that says nothing."""
    return int(value) if value == int(value) else value


def _without_none(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _test(test: AcceptanceTest) -> dict[str, Any]:
    match test:
        case HttpTest():
            what: dict[str, Any] = {"http": _http(test), "repeat": test.repeat}
        case GrpcTest():
            what = {"grpc": {"service": test.service}, "repeat": test.repeat}
        case CommandTest():
            what = {"command": list(test.command)}
    return {"name": test.name, **what, "retries": test.retries, "timeout": format_duration(test.timeout)}


def _http(test: HttpTest) -> dict[str, Any]:
    expected = test.expect
    return _without_none(
        method=test.method,
        path=test.path,
        headers=dict(test.headers) or None,
        body=test.body,
        expect=_without_none(
            status=list(expected.status),
            body=expected.body,
            json={pointer: json.loads(value) for pointer, value in expected.json.items()} or None,
            max_latency=None if expected.max_latency is None else format_duration(expected.max_latency),
        ),
    )


def _analysis(analysis: Analysis) -> dict[str, Any]:
    return _without_none(
        window=format_duration(analysis.window),
        interval=format_duration(analysis.interval),
        min_requests=analysis.min_requests,
        failures=analysis.failures,
        errors=analysis.errors,
        on_fail=analysis.on_fail.value,
        on_error=analysis.on_error.value,
        conditions=[condition.text for condition in analysis.conditions] or None,
        compare=_comparing(analysis.comparing) if analysis.comparing else None,
        sources=[_source(source) for source in analysis.sources] or None,
    )


def _comparing(comparing: Comparing) -> dict[str, Any]:
    return {"statistical": {"false_alarms": comparing.false_alarms, "at_least": number(comparing.at_least)}}


def _source(source: Source) -> dict[str, Any]:
    described: dict[str, Any] = {"name": source.name}
    match source:
        case PrometheusSource():
            described["prometheus"] = _without_none(
                url=source.url, query=source.query, headers=_headers(source.headers)
            )
            described["condition"] = f"{source.comparison} {number(source.threshold)}"
        case WebhookSource():
            described["webhook"] = _webhook(source.url, source.headers)
        case _:
            described["command"] = list(source.command)
    return described | {
        "interval": format_duration(source.interval),
        "timeout": format_duration(source.timeout),
    }


def _hook(hook: Hook) -> dict[str, Any]:
    return {
        "name": hook.name,
        **({"webhook": _webhook(hook.url, hook.headers)} if hook.url else {"command": list(hook.command)}),
        "timeout": format_duration(hook.timeout),
        "on_failure": hook.on_failure.value,
    }


def _webhook(url: str, headers: Mapping[str, Secret] | None) -> dict[str, Any]:
    return _without_none(url=SecretUrl(url), headers=_headers(headers))


def _headers(headers: Mapping[str, Secret] | None) -> dict[str, Secret] | None:
    return dict(headers) if headers else None
