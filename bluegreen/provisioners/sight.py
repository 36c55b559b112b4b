"""What is known of a pool's instances. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bluegreen.model.endpoint import Endpoint
from bluegreen.model.errors import InvalidInput, ProvisioningFailed
from bluegreen.model.pool import Instance

MAXIMUM_INSTANCES = 10_000
"""Of one pool: as many endpoints as a deployment may be given by hand."""


@dataclass(frozen=True, slots=True)
class Sight:
    """`instances` as they were told last; None: never yet. `trouble` says why nothing newer is known; empty
    where it is."""

    instances: tuple[Instance, ...] | None = None
    trouble: str = ""

    def differs(self, other: Sight) -> bool:
        """Whether that is news. Other words alone are none: they may be other ones each time."""
        # Asked at every look: what is the same is found to be so at once, however many there are.
        return self != other and self._gist() != other._gist()

    def _gist(self) -> tuple[object, ...]:
        known = self.instances is not None
        plain = [
            (each.id, each.endpoint, each.state, each.since, each.restarts) for each in self.instances or ()
        ]
        return known, plain, bool(self.trouble)

    def told(self) -> tuple[Instance, ...]:
        """The instances; where they are not the newest, each has a note that says why. Raises
        ProvisioningFailed where there is none to say it of."""
        if not self.trouble:
            return self.instances or ()
        if not self.instances:
            raise ProvisioningFailed(self.trouble)
        notes = ("; ".join(filter(None, [each.note, self.trouble])) for each in self.instances)
        return tuple(replace(each, note=note) for each, note in zip(self.instances, notes, strict=True))


def read_endpoint(value: object, place: str) -> Endpoint:
    """Raises InvalidInput, which names the place."""
    if not isinstance(value, str):
        raise InvalidInput(f"{place}: expected a text such as 127.0.0.1:8080, not {brief(value)}.")
    try:
        return Endpoint.parse(value[:300])
    except InvalidInput as error:
        raise InvalidInput(f"{place}: {error}") from None


def refuse_too_many(values: Sequence[object], place: str) -> None:
    """Raises InvalidInput."""
    if len(values) > MAXIMUM_INSTANCES:
        raise InvalidInput(f"{place}: {len(values)} are too many; at most {MAXIMUM_INSTANCES}.")


def refuse_twins(values: Iterable[object], place: str) -> None:
    """Raises InvalidInput where one stands twice."""
    seen: set[object] = set()
    for number, value in enumerate(values):
        if value in seen:
            raise InvalidInput(f"{place}[{number}]: {value} stands there twice.")
        seen.add(value)


def brief(value: object) -> str:
    """A value as it may stand in a message."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
