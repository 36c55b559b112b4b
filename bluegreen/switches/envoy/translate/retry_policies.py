"""Which failed requests a proxy sends once more -> RetryPolicy."""

from __future__ import annotations

from envoy.config.route.v3.route_components_pb2 import RetryPolicy
from envoy.extensions.retry.host.previous_hosts.v3.previous_hosts_pb2 import PreviousHostsPredicate
from google.protobuf.wrappers_pb2 import UInt32Value

from bluegreen.switches.envoy.translate.packing import duration, packed

# Failures in which no instance can have acted on the request.
UNTOUCHED = "connect-failure,refused-stream,reset-before-request"
# A connection that ended before the answer began: the request may have been acted on.
CUT_SHORT = f"{UNTOUCHED},reset"

# A dead instance has the fewest requests, so that of two the least-request balancer takes it three times in
# four: with 5 attempts every sixth retry went back to where it came from, with 20 one in four hundred.
HOST_SELECTION_ATTEMPTS = 20
BACK_OFF = duration(0.025)
MAX_BACK_OFF = duration(0.25)


def retry_policy(attempts: int, conditions: str) -> RetryPolicy | None:
    """Up to `attempts` more tries, each on an instance not tried before; None for no attempts."""
    if attempts == 0:
        return None
    previous_hosts = RetryPolicy.RetryHostPredicate(
        name="envoy.retry_host_predicates.previous_hosts", typed_config=packed(PreviousHostsPredicate())
    )
    return RetryPolicy(
        retry_on=conditions,
        num_retries=UInt32Value(value=attempts),
        retry_host_predicate=[previous_hosts],
        host_selection_retry_max_attempts=HOST_SELECTION_ATTEMPTS,
        retry_back_off=RetryPolicy.RetryBackOff(base_interval=BACK_OFF, max_interval=MAX_BACK_OFF),
    )
