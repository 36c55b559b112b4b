"""An xDS server for Python: ordered publishing, and exact knowledge of what each proxy has acknowledged."""

from .barrier import Outcome, Report, Stage, Target, Verdict, decide
from .channel import Nack
from .errors import BadRequest, InconsistentSnapshot, NotReady, Refused, UnknownGroup, XdsError
from .fleet import Fleet, ProxyState, Subscriptions, TypeState
from .memory import tune_memory
from .node import NodeIdentity
from .references import Links
from .resource import Resource
from .server import XdsServer
from .settings import References, XdsSettings, server_options
from .transaction import TransactionResult
from .types import CLUSTER, ENDPOINT, LISTENER, ROUTE, RUNTIME, SECRET

__all__ = [
    "CLUSTER",
    "ENDPOINT",
    "LISTENER",
    "ROUTE",
    "RUNTIME",
    "SECRET",
    "BadRequest",
    "Fleet",
    "InconsistentSnapshot",
    "Links",
    "Nack",
    "NodeIdentity",
    "NotReady",
    "Outcome",
    "ProxyState",
    "References",
    "Refused",
    "Report",
    "Resource",
    "Stage",
    "Subscriptions",
    "Target",
    "TransactionResult",
    "TypeState",
    "UnknownGroup",
    "Verdict",
    "XdsError",
    "XdsServer",
    "XdsSettings",
    "decide",
    "server_options",
    "tune_memory",
]
