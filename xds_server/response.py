"""One message, encoded once, under a nonce of its own."""

from __future__ import annotations

from itertools import count

from .wire import with_nonce

# Nonces are numbers that only grow in this process, so that a response can be shared by any number of
# streams.
_numbers = count(1)


class Response:
    """Sent as it is to every stream that was sent nothing newer of its type; a stream that was, gets it
    renumbered.
    """

    __slots__ = ("_head", "_number", "_whole")

    def __init__(self, head: bytes) -> None:
        self._head = head
        self._number = next(_numbers)
        self._whole = with_nonce(head, _nonce(self._number))

    def __len__(self) -> int:
        return len(self._whole)

    def after(self, number: int) -> tuple[int, bytes]:
        """The message with a number that is higher than ``number``, the last one that the stream was sent."""
        if self._number > number:
            return self._number, self._whole
        fresh = next(_numbers)
        return fresh, with_nonce(self._head, _nonce(fresh))


def _nonce(number: int) -> str:
    return f"{number:x}"


def nonce_of(number: int) -> str:
    """The nonce of a response; "" for 0, which is none."""
    return _nonce(number) if number else ""
