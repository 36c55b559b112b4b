"""Every cell of the table, against the same table drawn by hand."""

from __future__ import annotations

import itertools

import pytest

from bluegreen.model.deployment import Status
from bluegreen.model.errors import IllegalTransition
from bluegreen.model.event import What
from deployment_store.state_machine import next_status

# A column for each status, a row for each event that moves one; a dot is an illegal transition.
DRAWN = """
               expanding  deploying  ready     shifting  active    draining  standby   retired  failed
expanded       deploying  .          .         .         .         .         .         .        .
prepared       .          ready      .         .         .         .         .         .        .
failed         failed     failed     .         failed    .         .         .         .        .
shift-started  .          .          shifting  .         .         shifting  shifting  .        .
shift-aborted  .          .          .         ready     .         .         .         .        .
activated      .          .          .         active    .         .         .         .        .
reactivated    .          .          .         .         .         active    active    .        .
drain-started  .          .          .         .         draining  .         .         .        .
drained        .          .          .         .         .         standby   .         .        .
superseded     .          .          retired   .         .         .         .         .        .
tested-again   .          .          deploying .         .         .         .         .        .
retired        .          .          .         .         retired   retired   retired   .        .
"""
STATUSES, *ROWS = (line.split() for line in DRAWN.strip().splitlines())
CELLS = {(status, row[0]): cell for row in ROWS for status, cell in zip(STATUSES, row[1:], strict=True)}


@pytest.mark.parametrize(("status", "what"), list(itertools.product(Status, What)))
def test_cell(status: Status, what: What) -> None:
    expected = CELLS.get((status.value, what.value), ".")
    if expected == ".":
        with pytest.raises(IllegalTransition, match=f"{status} cannot be {what}"):
            next_status(status, what)
    else:
        assert next_status(status, what) is Status(expected)


def test_every_status_is_drawn() -> None:
    assert [each.value for each in Status] == STATUSES


def test_a_refusal_names_what_is_possible() -> None:
    with pytest.raises(IllegalTransition, match="Possible from ready: shift-started, superseded"):
        next_status(Status.READY, What.ACTIVATED)
    with pytest.raises(IllegalTransition, match="retired is final"):
        next_status(Status.RETIRED, What.REACTIVATED)
