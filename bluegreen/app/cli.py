"""The command `bluegreen`: an operator's verbs, and those that run something here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bluegreen import __version__
from bluegreen.admin.cli import migrations_verbs, verbs
from bluegreen.admin.cli.lazy import run
from bluegreen.admin.cli.options import setting
from bluegreen.admin.cli.parameters import ADDRESS, DURATION, LISTEN_ADDRESS, NAME, WORD
from bluegreen.app.settings import ADMIN, HTTP, XDS, Settings
from bluegreen.app.settings_file import use_settings_file
from bluegreen.model.duration import format_duration

_RELEASES = (
    *("deploy", "test", "promote", "approve", "pause", "resume", "abort", "rollback", "retry", "scale"),
    "retire",
)
_DATABASE = ("migrations",)
_LOOKING = ("status", "environments", "logs", "history", "events", "services", "proxies")
_SETUP = ("serve", "bootstrap", "apply", "schema", "demo")
_SECTIONS = {"Releases": _RELEASES, "The database": _DATABASE, "Looking": _LOOKING, "Setting up": _SETUP}

_RETENTION = format_duration(Settings().event_retention)


class _Sections(click.Group):
    """Lists the verbs by what they are for, in the order of use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for names in _SECTIONS.values() for name in names]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, names in _SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, self.commands[name].get_short_help_str(90)) for name in names])


@click.group(
    cls=_Sections, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(__version__, prog_name="bluegreen")
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="BLUEGREEN_CONFIG",
    show_envvar=True,
    is_eager=True,
    expose_value=False,
    callback=use_settings_file,
    help="A TOML file of settings, named as the flags are, with _ for -.",
)
def main() -> None:
    """Blue-green releases for fleets of Envoy proxies, proven by what every proxy acknowledged.

    \b
    Exit codes: 0 done, 1 failed, 2 usage, 3 aborted or rolled back, 4 timed out (the work goes on),
    5 refused (illegal now; says why and what is possible).
    """


@click.command()
@setting("--xds-listen", "Where proxies connect.", type=LISTEN_ADDRESS, default=str(XDS), show_default=True)
@setting(
    "--admin-listen", "Where operators connect.", type=LISTEN_ADDRESS, default=str(ADMIN), show_default=True
)
@setting(
    "--http-listen",
    "Where /metrics, /healthz and /readyz are.",
    type=LISTEN_ADDRESS,
    default=str(HTTP),
    show_default=True,
)
@setting(
    "--database",
    "The file that holds all state.",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Settings().database,
    show_default=True,
)
@setting(
    "--service-file",
    "Applied at the start, as by `apply -f`.",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@setting(
    "--event-retention", "How long events are kept.", type=DURATION, default=_RETENTION, show_default=True
)
@setting(
    "--log-level",
    "The least that is logged.",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default=Settings().log_level,
    show_default=True,
)
@setting(
    "--log-format",
    "For a person, or for a collector.",
    type=click.Choice(["text", "json"]),
    default=Settings().log_format,
    show_default=True,
)
def serve(**options: Any) -> None:
    """Run the control plane, until SIGINT or SIGTERM."""
    addresses = {name: options.pop(f"{name}_listen") for name in ("xds", "admin", "http")}
    run("bluegreen.app.serve:main_serve", Settings(**addresses, **options))


@click.command()
@click.option("--plain", is_flag=True, help="Line by line, on a terminal too.")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep logs and database there. Default: a temporary directory.",
)
def demo(**options: Any) -> None:
    """Good and bad releases through real Envoys under load.

    Exit 0 only if no request failed but those a bad version fails on purpose.
    """
    run("bluegreen.app.demo_verb:play", options)


@click.command()
@click.option(
    "--gateway", type=NAME, required=True, help="Whose listeners the Envoy runs (its node.cluster)."
)
@click.option("--node-id", type=WORD, required=True, help="Its name, unlike that of any other (its node.id).")
@click.option(
    "--control-plane", type=ADDRESS, default=str(XDS), show_default=True, help="Where it finds `serve`."
)
@click.option(
    "--protocol",
    type=click.Choice(["sotw", "delta"]),
    default="sotw",
    show_default=True,
    help="State of the world, or changes.",
)
@click.option(
    "--envoy-admin",
    "admin",
    type=ADDRESS,
    default="127.0.0.1:9901",
    show_default=True,
    help="Its own admin port.",
)
@click.option(
    "--flush-interval",
    type=DURATION,
    default="1s",
    show_default=True,
    help="How often it reports its statistics.",
)
@click.option(
    "--max-connections",
    type=click.IntRange(1, 2**31 - 1),
    default=50_000,
    show_default=True,
    help="Over all listeners.",
)
def bootstrap(**options: Any) -> None:
    """Print the configuration that an Envoy of a gateway is started with."""
    run("bluegreen.app.bootstrap_verb:print_bootstrap", options)


for _verb in (
    *(getattr(verbs, name) for name in (*_RELEASES, *_LOOKING, "apply", "schema")),
    *(serve, bootstrap, demo, migrations_verbs.migrations),
):
    main.add_command(_verb)
