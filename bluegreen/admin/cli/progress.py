"""A service's status as sentences, so that a change is a line: for waiting, and for watching in a pipe."""

from __future__ import annotations

from collections.abc import Iterator

from bluegreen.admin.cli.environments_view import where
from bluegreen.admin.cli.gates_view import approval_wanted
from bluegreen.admin.cli.goals import OVER, candidate, find_deployment, provided
from bluegreen.admin.cli.migration_goal import outcome
from bluegreen.admin.cli.output import printable
from bluegreen.admin.v1 import admin_pb2 as pb

Subject = tuple[str, str]


class Progress:
    """Remembers what it has told."""

    def __init__(self) -> None:
        self._told: dict[Subject, str] = {}

    def news(self, status: pb.ServiceStatus) -> list[str]:
        """The sentences that were not true the last time."""
        sentences = dict(_sentences(status))
        new = dict.fromkeys(
            sentence for about, sentence in sentences.items() if self._told.get(about) != sentence
        )
        self._told = sentences
        return [printable(sentence) for sentence in new]


def _sentences(status: pb.ServiceStatus) -> Iterator[tuple[Subject, str]]:
    yield from _environments(status)
    yield from _migrations(status)
    # One whose version is gone was told of long ago.
    if find_deployment(status, status.rollout.candidate_revision) is not None:
        yield ("rollout", ""), _rollout(status)
    for proxy in status.proxies:
        if proxy.rejected:
            yield ("rejected", proxy.proxy), f"{proxy.proxy} refuses it: {proxy.rejected}"
        if proxy.listener_rejected:
            yield ("listener", proxy.proxy), f"{proxy.proxy} refuses its listeners: {proxy.listener_rejected}"
        if not proxy.connected:
            yield ("connected", proxy.proxy), f"{proxy.proxy} is not connected"
    for check in reversed(status.checks):
        if check.verdict:
            yield ("check", check.kind + check.subject), f"{check.summary}."
    if status.rollout.approval_wanted:
        yield ("approval", ""), approval_wanted(status)
    if status.observation.verdict:
        yield ("analysis", ""), f"the analysis {_where(status)} is {status.observation.verdict}"
    if status.activity:
        yield ("activity", ""), status.activity


def _environments(status: pb.ServiceStatus) -> Iterator[tuple[Subject, str]]:
    for each in status.deployments:
        note = f": {each.note}" if each.note else ""
        sentence = f"{each.version} on {each.environment} (revision {each.revision}) is {each.status}{note}"
        yield ("deployment", str(each.revision)), sentence
        # While it is deployed, the activity tells.
        if provided(each) and each.status not in (*OVER, "expanding", "deploying"):
            yield ("instances", str(each.revision)), f"{where(each)}: {each.capacity.summary}"
    if status.disparities:
        yield ("disparities", ""), f"the environments differ: {', '.join(d.what for d in status.disparities)}"


def _migrations(status: pb.ServiceStatus) -> Iterator[tuple[Subject, str]]:
    progress = status.migration_progress
    for run in reversed(status.migration_runs):
        if run.verdict:
            yield ("migrations", str(run.id)), f"{outcome(run)}."
    if progress.file:
        yield ("migration", ""), f"{progress.file} is being applied"
    if progress.note:
        yield ("migration waits", ""), f"{progress.file or 'migrations'}: {progress.note}"


def _where(status: pb.ServiceStatus) -> str:
    return f"at {status.rollout.percent} %" if status.observation.rollout_id else "with all traffic"


def _rollout(status: pb.ServiceStatus) -> str:
    rollout = status.rollout
    acknowledged = sum(proxy.acknowledged for proxy in status.proxies)
    sentence = f"rollout {rollout.id} ({rollout.kind} {candidate(status)}): {rollout.state}"
    if not rollout.finished_at:
        sentence += f", {rollout.percent} % set, acknowledged by {acknowledged} of {len(status.proxies)}"
    return f"{sentence}; {rollout.reason}" if rollout.reason else sentence
