"""The life of a deployment, as one table.

The rules, in prose:

- A deployment of a service with a database begins in `expanding`: the schema gets what the version needs, and
  the active version passes its tests on it. Then it is `deploying`, or `failed` when that does not come to
  pass. Any other deployment begins in `deploying`.
- A `deploying` one becomes `ready` once every proxy has acknowledged its clusters and
  reports its instances healthy and its tests have passed, or `failed` when that does not come to pass.
- A `ready` one whose tests are run again is `deploying` until they have passed, or `failed` where they do
  not.
- A `ready` one may be superseded by another version before it takes any traffic; then it is `retired`.
- A promotion makes it `shifting`: it has a share of the traffic while the old one stays `active`. It becomes
  `active` when every proxy has acknowledged that it has all of it; or it returns to `ready` when the rollout
  is aborted, or ends as `failed` when a gate fails or a proxy refuses.
- The one that was `active` is `draining` until every proxy has proved it idle or the deadline has passed, and
  then `standby`: warm, the way back.
- Rollback makes a `draining` or `standby` deployment `active` again; the other one drains in its place. One
  that was rolled back from can be promoted again: it is warm, and becomes `shifting`.
- A `standby` one is `retired` when its warm time is over. A `draining` or `standby` one is also retired when
  an operator gives the way back up for another deployment in its place.
- An operator who gives a service up retires its `active` one too, without another in its place; so do all its
  others end. `retired` and `failed` are final.

A pair that is not in the table is an IllegalTransition, and nothing else sets a status: the store refuses a
write in which a status changed without an event of this table.
"""

from __future__ import annotations

from bluegreen.model.deployment import Status
from bluegreen.model.errors import IllegalTransition
from bluegreen.model.event import What

INITIAL = frozenset((Status.EXPANDING, Status.DEPLOYING))

TRANSITIONS: dict[tuple[Status, What], Status] = {
    (Status.EXPANDING, What.EXPANDED): Status.DEPLOYING,
    (Status.EXPANDING, What.FAILED): Status.FAILED,
    (Status.DEPLOYING, What.PREPARED): Status.READY,
    (Status.DEPLOYING, What.FAILED): Status.FAILED,
    (Status.READY, What.SHIFT_STARTED): Status.SHIFTING,
    (Status.READY, What.SUPERSEDED): Status.RETIRED,
    (Status.READY, What.TESTED_AGAIN): Status.DEPLOYING,
    (Status.SHIFTING, What.ACTIVATED): Status.ACTIVE,
    (Status.SHIFTING, What.SHIFT_ABORTED): Status.READY,
    (Status.SHIFTING, What.FAILED): Status.FAILED,
    (Status.ACTIVE, What.DRAIN_STARTED): Status.DRAINING,
    (Status.ACTIVE, What.RETIRED): Status.RETIRED,
    (Status.DRAINING, What.DRAINED): Status.STANDBY,
    (Status.DRAINING, What.REACTIVATED): Status.ACTIVE,
    (Status.DRAINING, What.SHIFT_STARTED): Status.SHIFTING,
    (Status.STANDBY, What.SHIFT_STARTED): Status.SHIFTING,
    (Status.DRAINING, What.RETIRED): Status.RETIRED,
    (Status.STANDBY, What.REACTIVATED): Status.ACTIVE,
    (Status.STANDBY, What.RETIRED): Status.RETIRED,
}


def next_status(status: Status, what: What) -> Status:
    """The status that follows `status` on this event. Raises IllegalTransition, naming what is possible."""
    following = TRANSITIONS.get((status, what))
    if following is None:
        possible = ", ".join(event.value for state, event in TRANSITIONS if state is status)
        raise IllegalTransition(
            f"A deployment that is {status} cannot be {what}.",
            f"Possible from {status}: {possible}." if possible else f"{status} is final.",
        )
    return following
