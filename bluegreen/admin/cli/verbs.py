"""The verbs that talk to a control plane, as click shows them. What they do stands in other modules."""

from __future__ import annotations

import os
from typing import Any, BinaryIO, NoReturn

import click

from bluegreen.admin.cli.lazy import run
from bluegreen.admin.cli.options import Caller, Patience, asking, awaiting, commanding, waiting
from bluegreen.admin.cli.parameters import ADDRESS, WORD
from bluegreen.model.endpoint import Endpoint

SERVICE = click.argument("service", type=WORD)


def run_verb(place: str, *arguments: object) -> NoReturn:
    """`module:function` of this package, where grpc is a client: it would write on standard error, in the
    midst of what we tell there."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    run(f"bluegreen.admin.cli.{place}", *arguments)


@click.command()
@click.option(
    "-f", "--file", "file", type=click.File("rb"), required=True, help="The service file; -: stdin."
)
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--prune", is_flag=True, help="Remove what the file does not name.")
@commanding
def apply(caller: Caller, file: BinaryIO, **flags: bool) -> None:
    """Make the gateways and services of a file the ones that are served."""
    run_verb("catalogue:apply", caller, file, flags)


@click.command()
def schema() -> None:
    """Print the JSON Schema of the service file."""
    run_verb("file_schema:print_schema")


@click.command()
@asking
def services(caller: Caller) -> None:
    """List the services with their active versions."""
    run_verb("catalogue:services", caller)


@click.command()
@SERVICE
@click.argument("version", type=WORD)
@click.option(
    "--endpoint",
    "endpoints",
    type=ADDRESS,
    multiple=True,
    help="Where an instance listens; several times for several. Default: those of the service file.",
)
@click.option(
    "--replace-standby", is_flag=True, help="Retire the standby to make room: gives the way back up."
)
@commanding
@waiting
def deploy(caller: Caller, patience: Patience, endpoints: tuple[Endpoint, ...], **request: Any) -> None:
    """Put VERSION into the idle environment, and make it ready. No production traffic moves.

    With --wait it ends when every proxy reports it healthy and its tests have passed (0), or when that
    failed (1).
    """
    run_verb("release:deploy", caller, patience, {"endpoints": [*map(str, endpoints)], **request})


@click.command()
@SERVICE
@click.option("--active", is_flag=True, help="Those of the active version, through the production listeners.")
@commanding
@awaiting
def test(caller: Caller, patience: Patience, **request: Any) -> None:
    """Run the tests of the idle environment's version again, through the preview.

    A version that was ready is deploying until they have passed, and fails with them. It ends when every test
    has said what it says: all have passed (0), or not (1). With --no-wait it ends when
    they have begun.
    """
    run_verb("release:test", caller, patience, request)


@click.command()
@SERVICE
@click.option("--full", is_flag=True, help="To the end without the pauses, but not without acknowledgements.")
@click.option("--force", is_flag=True, help="Also where the two environments differ: say why, with --reason.")
@commanding
@waiting
def promote(caller: Caller, patience: Patience, **request: Any) -> None:
    """Move the traffic to the ready version, or the open rollout to its next step.

    With --wait it ends when the rollout is completed, or holds for the next promote or approval (0), is
    paused (1), or has been taken back, by an operator, a proxy or a gate (3).
    """
    run_verb("release:promote", caller, patience, request)


@click.command()
@SERVICE
@commanding
def approve(caller: Caller, **request: Any) -> None:
    """Let the open rollout leave its present step, where the service file asks for that."""
    run_verb("release:approve", caller, request)


@click.command()
@SERVICE
@commanding
def pause(caller: Caller, **request: Any) -> None:
    """Hold the open rollout where it stands."""
    run_verb("release:pause", caller, request)


@click.command()
@SERVICE
@commanding
@waiting
def resume(caller: Caller, patience: Patience, **request: Any) -> None:
    """Go on with a paused rollout. --wait is as for promote."""
    run_verb("release:resume", caller, patience, request)


@click.command()
@SERVICE
@commanding
@waiting
def abort(caller: Caller, patience: Patience, **request: Any) -> None:
    """Take the traffic of the open rollout back; the candidate stays ready.

    With --wait it ends when every proxy has acknowledged that (0).
    """
    run_verb("release:abort", caller, patience, request)


@click.command()
@SERVICE
@click.option(
    "--force",
    is_flag=True,
    help="Also to a version of which proxies see no healthy instance, and without waiting for it to be "
    "scaled up.",
)
@commanding
@waiting
def rollback(caller: Caller, patience: Patience, **request: Any) -> None:
    """Return to the version before: aborts an open rollout, reverses a finished one.

    With --wait it ends when every proxy has acknowledged that (0).
    """
    run_verb("release:rollback", caller, patience, request)


@click.command()
@SERVICE
@commanding
@waiting
def retry(caller: Caller, patience: Patience, **request: Any) -> None:
    """Do again what did not come to its end: deploy what failed, promote what was taken back.

    --wait is as for that.
    """
    run_verb("release:retry", caller, patience, request)


@click.command()
@SERVICE
@click.option(
    "--yes", "confirmed", is_flag=True, help="Also while it has traffic: that is answered with 404 then."
)
@commanding
@waiting
def retire(caller: Caller, patience: Patience, **request: Any) -> None:
    """Give a service up: end every version of it, the active one too. There is no way back.

    With --wait it ends when no proxy leads to any of them (0). `apply --prune` may then remove it.
    """
    run_verb("release:retire", caller, patience, request)


@click.command()
@SERVICE
@click.argument("instances", type=click.IntRange(min=1))
@commanding
@waiting
def scale(caller: Caller, patience: Patience, **request: Any) -> None:
    """Have so many INSTANCES in each environment, where they are provided.

    That is where the service file says how they come about. Those that are too many get no new requests
    first. With --wait it ends when as many are up, and none leaves any more (0), or when one of them cannot
    be had (1).
    """
    run_verb("release:scale", caller, patience, request)


@click.command()
@SERVICE
@asking
def environments(caller: Caller, service: str) -> None:
    """Show both environments: capacity, instances, who sees them healthy, how they differ.

    A proxy reports how many instances it finds healthy, and not which.
    """
    run_verb("environments:environments", caller, service)


@click.command()
@SERVICE
@click.argument("instance", type=WORD, required=False)
@click.option("--lines", type=click.IntRange(1, 10_000), default=100, show_default=True)
@asking
def logs(caller: Caller, **request: Any) -> None:
    """Show the last lines that an instance has written.

    Its id is in `environments`; without one, it is told which there are.
    """
    run_verb("environments:logs", caller, request)


@click.command()
@click.argument("service", type=WORD, required=False)
@click.option("--watch", is_flag=True, help="Keep showing it as it changes, until Ctrl-C.")
@asking
def status(caller: Caller, service: str | None, *, watch: bool) -> None:
    """Show a service: environments, weights, what proxies acknowledge and report.

    SERVICE may be left out where there is only one.
    """
    run_verb("looking:watch_status" if watch else "looking:status", caller, service)


@click.command()
@SERVICE
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@asking
def history(caller: Caller, **request: Any) -> None:
    """List the deployments, rollouts and verdicts of a service, newest first."""
    run_verb("looking:history", caller, request)


@click.command()
@click.argument("service", type=WORD, required=False)
@click.option("--follow", is_flag=True, help="Go on with those that come, until Ctrl-C.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@asking
def events(caller: Caller, **request: Any) -> None:
    """List what happened to SERVICE, or to all: what, from, to, by whom, why. Oldest first."""
    run_verb("looking:events", caller, request)


@click.group(invoke_without_command=True)
@click.option("--gateway", type=WORD, help="Only this gateway's.")
@asking
@click.pass_context
def proxies(context: click.Context, caller: Caller, gateway: str | None) -> None:
    """List the known proxies: connected or not, and what they have acknowledged."""
    if context.invoked_subcommand is None:
        run_verb("fleet:proxies", caller, gateway)


@proxies.command()
@click.argument("proxy", type=WORD)
@commanding
def forget(caller: Caller, proxy: str) -> None:
    """Strike a proxy that will not come back: nothing waits for it any more."""
    run_verb("fleet:forget", caller, proxy)
