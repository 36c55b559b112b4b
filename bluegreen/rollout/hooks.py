"""The hooks of a moment: wanted with what they belong to. Pure."""

from __future__ import annotations

from bluegreen.model.check import Check, CheckKind
from bluegreen.model.hook import Moment
from bluegreen.rollout.draft import Draft


def hooks_before(draft: Draft, moment: Moment, deployment: int) -> Check | None:
    """The hooks of this moment that were wanted for the deployment, the latest; None: there are none."""
    return next(draft.aggregate.checks_of(CheckKind.HOOKS, deployment, subject=moment), None)


def give_up_hooks(draft: Draft, moment: Moment) -> None:
    """Nobody waits for the hooks of this moment that still run for the open rollout."""
    rollout = draft.rollout.id
    draft.give_up(lambda check: check.subject == moment and check.rollout == rollout)


def want_hooks(draft: Draft, moment: Moment, deployment: int) -> None:
    """Have the service's hooks of this moment run, if it has any."""
    hooks = draft.aggregate.service.gates.hooks_at(moment)
    if hooks:
        names = ", ".join(hook.name for hook in hooks)
        draft.want(CheckKind.HOOKS, deployment, f"Hooks {moment} run: {names}.", subject=moment)
