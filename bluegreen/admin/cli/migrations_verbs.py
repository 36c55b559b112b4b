"""The verbs about migrations, as click shows them. What they do stands in `migrating`."""

from __future__ import annotations

from typing import Any

import click

from bluegreen.admin.cli.migrations_lint import lint
from bluegreen.admin.cli.options import Caller, Patience, asking, awaiting, commanding
from bluegreen.admin.cli.parameters import WORD
from bluegreen.admin.cli.verbs import SERVICE, run_verb

_ACCEPT_DRIFT = click.option(
    "--accept-drift",
    is_flag=True,
    help="Although other hands have changed the schema: say why, with --reason.",
)


class _InOrderOfUse(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_InOrderOfUse)
def migrations() -> None:
    """Change the schema of the database that both versions share.

    In three phases: expand before the new version is deployed, backfill while both run, contract once the
    old one is retired.
    """


@migrations.command()
@SERVICE
@asking
def status(caller: Caller, service: str) -> None:
    """Show which migrations are applied, which run, what comes next."""
    run_verb("migrating:status", caller, service)


@migrations.command()
@SERVICE
@click.argument("version", type=WORD, required=False)
@asking
def plan(caller: Caller, service: str, version: str | None) -> None:
    """Ask the database what the migrations of VERSION would do; nothing is changed.

    By default of the version on its way, else of the active one. Ends with 0 where nothing is wrong, with 5
    where a phase would be refused.
    """
    run_verb("migrating:plan", caller, service, version or "")


migrations.add_command(lint)


@migrations.command()
@SERVICE
@click.argument("version", type=WORD)
@_ACCEPT_DRIFT
@commanding
@awaiting
def expand(caller: Caller, patience: Patience, **request: Any) -> None:
    """Add to the schema what VERSION needs, before it is deployed.

    `deploy` does this by itself. It ends when every file is applied and the tests of the active version have
    passed (0), or when that failed (1).
    """
    run_verb("migrating:migrate", caller, patience, {"phase": "expand", **request})


@migrations.command()
@SERVICE
@_ACCEPT_DRIFT
@commanding
@awaiting
def backfill(caller: Caller, patience: Patience, **request: Any) -> None:
    """Fill in what was added, in batches, while both versions run.

    Of the version on its way, else of the active one. It goes on where it was stopped. Ctrl-C ends the
    waiting alone: `stop` gives it up.
    """
    run_verb("migrating:migrate", caller, patience, {"phase": "backfill", **request})


@migrations.command()
@SERVICE
@click.option("--retire-standby", is_flag=True, help="Retire the old version first: gives the way back up.")
@_ACCEPT_DRIFT
@commanding
@awaiting
def contract(caller: Caller, patience: Patience, **request: Any) -> None:
    """Take away what only the old version needed. There is no way back.

    Refused while any proxy may lead to that version.
    """
    run_verb("migrating:migrate", caller, patience, {"phase": "contract", **request})


@migrations.command()
@SERVICE
@commanding
def stop(caller: Caller, service: str) -> None:
    """Give up the phase that is under way; it can be run again, and goes on where it was."""
    run_verb("migrating:stop", caller, service)
