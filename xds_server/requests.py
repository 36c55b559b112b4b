"""The discovery requests, with a node of which only what is read is known.

An Envoy introduces itself with 516 extensions in 61 KB: to skip them, as fields that are unknown, takes a
quarter of the time that it takes to read them. The messages are derived from Envoy's, so that the numbers and
types of the fields are theirs.
"""

from __future__ import annotations

from typing import Any, Final

from envoy.config.core.v3 import base_pb2
from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE: Final = "xds_server.requests"
_NODE: Final = base_pb2.Node.DESCRIPTOR
_REQUESTS: Final = (discovery_pb2.DiscoveryRequest.DESCRIPTOR, discovery_pb2.DeltaDiscoveryRequest.DESCRIPTOR)
_UNREAD: Final = frozenset(
    {"metadata", "dynamic_parameters", "locality", "extensions", "listening_addresses"}
)


def _file() -> Any:
    kinds = (_NODE, *_REQUESTS)
    file = descriptor_pb2.FileDescriptorProto(name=f"{_PACKAGE}.proto", package=_PACKAGE, syntax="proto3")
    used = {field.message_type.file.name for kind in kinds for field in kind.fields if field.message_type}
    file.dependency.extend(sorted(used))
    renamed = {f".{kind.full_name}": f".{_PACKAGE}.{kind.name}" for kind in kinds}
    for kind in kinds:
        message = file.message_type.add()
        kind.CopyToProto(message)
        message.ClearField("options")
        read = [field for field in message.field if kind is not _NODE or field.name not in _UNREAD]
        del message.field[:]
        for field in read:
            field.ClearField("options")
            for theirs, ours in renamed.items():
                if f"{field.type_name}.".startswith(f"{theirs}."):  # or a message inside: a map's entries
                    field.type_name = ours + field.type_name.removeprefix(theirs)
        message.field.extend(read)
    return file


def _message(name: str) -> Any:
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


_pool = descriptor_pool.Default()
_pool.AddSerializedFile(_file().SerializeToString())
DiscoveryRequest: Final = _message("DiscoveryRequest")
DeltaDiscoveryRequest: Final = _message("DeltaDiscoveryRequest")
