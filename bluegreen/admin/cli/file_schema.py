"""schema: needs no control plane, and nothing that speaks with one."""

from __future__ import annotations

import json

import click

from bluegreen.admin.cli.exit_code import ExitCode
from bluegreen.admin.service_file import schema


def print_schema() -> ExitCode:
    click.echo(json.dumps(schema(), indent=2))
    return ExitCode.DONE
