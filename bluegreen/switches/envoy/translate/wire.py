"""Joining messages that are encoded already (Protocol Buffers' wire format).

The encoding of a message is the concatenation of its fields, and a repeated message field is each element
behind its tag and length. So a message can be put together of parts without any of them being encoded again.
"""

from __future__ import annotations

_LENGTH_DELIMITED = 2


def nested(field_number: int, message: bytes) -> bytes:
    """One element of a message field, as it stands within the message that holds it."""
    return b"".join((_varint(field_number << 3 | _LENGTH_DELIMITED), _varint(len(message)), message))


def _varint(value: int) -> bytes:
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)
