"""The service file of the demo, as a user would write it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass

LOOPBACK = "127.0.0.1"

INSTANCES = 2
"""Processes per environment."""

_GATEWAY = """\
  {name}:
    listen: {host}:{production}
    preview: {host}:{preview} # leads to the idle environment
"""

_FILE = """\
gateways:
{gateways}
services:
  {service}:
    gateways: [{names}]
    domains: ["*"]
    health_check: {{path: /healthz, interval: 1s}}
    database: # that both versions share; each brings the changes of its schema along
      url: {database}
      migrations: {migrations}
      backfill_load: 30% # of the time, so that there is something to see
    instances: # the control plane starts and stops them
      count: {instances}
      process:
        command: [{python}, -m, bluegreen.app.demo.shop, "--version={{version}}", \
"--port={{port}}", --demo={demo}]
        environment: {{DATABASE_URL: {database}}}
    strategy: {{steps: [10, 50, 100], pause: 3s}}
    gates:
      tests: # through the preview, before a version may take traffic
        - name: smoke
          http: {{path: /smoke, expect: {{json: {{/status: ok}}, max_latency: 2s}}}}
          repeat: 5
        - name: order
          command: [{python}, -m, bluegreen.app.demo.order_check]
        - name: person # asks for the database
          command: [{python}, -m, bluegreen.app.demo.person_check]
      analysis: # while it takes traffic
        conditions:
          - success_rate >= 99
          - p50 <= 3 x active # not p99: one request in fifty asks for an answer that takes a second
        window: 10s
        interval: 1s # as the proxies report
        min_requests: 50 # fewer prove nothing
        failures: 2 # looks in a row
        on_fail: turn-back
"""


@dataclass(frozen=True, slots=True)
class Places:
    """What differs from run to run: ports by gateway, the people's database, the path of a version's
    migrations, and the process with which the instances end."""

    production: Mapping[str, int]
    preview: Mapping[str, int]
    database: str
    migrations: str
    demo: int


def service_file(service: str, places: Places) -> str:
    """Its text."""
    gateways = "".join(
        _GATEWAY.format(name=name, host=LOOPBACK, production=port, preview=places.preview[name])
        for name, port in places.production.items()
    )
    return _FILE.format(
        gateways=gateways,
        service=service,
        names=", ".join(places.production),
        instances=INSTANCES,
        python=json.dumps(sys.executable),
        demo=places.demo,
        database=json.dumps(places.database),
        migrations=json.dumps(places.migrations),
    )
