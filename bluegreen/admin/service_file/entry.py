"""What all entries of the service file have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

INCOMPLETE = "incomplete"


class Entry(BaseModel):
    """No key is guessed at, and no value is taken for another kind: what is not understood is refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)


def incomplete(message: str) -> PydanticCustomError:
    """The complaint of an entry that one of several keys is missing. It is not made where such a key is
    there and wrong."""
    return PydanticCustomError(INCOMPLETE, message)
