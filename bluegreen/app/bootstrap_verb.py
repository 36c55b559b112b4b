"""bootstrap: needs no control plane."""

from __future__ import annotations

from typing import Any

import click

from bluegreen.admin.cli.exit_code import ExitCode
from bluegreen.switches.envoy.bootstrap import BootstrapOptions, XdsProtocol, as_yaml, bootstrap


def print_bootstrap(options: dict[str, Any]) -> ExitCode:
    options["protocol"] = XdsProtocol(options["protocol"])
    click.echo(as_yaml(bootstrap(BootstrapOptions(**options))), nl=False)
    return ExitCode.DONE
