"""One line of JSON per request on the proxy's standard output, off until it is wanted.

A listener cannot change without cutting connections, so the access log is there from the start, behind a
runtime key: `POST /runtime_modify?bluegreen.access_log_percent=100` on a proxy's admin port turns it on.
"""

from __future__ import annotations

from envoy.config.accesslog.v3.accesslog_pb2 import AccessLog, AccessLogFilter, RuntimeFilter
from envoy.config.core.v3.substitution_format_string_pb2 import SubstitutionFormatString
from envoy.extensions.access_loggers.stream.v3.stream_pb2 import StdoutAccessLog
from envoy.type.v3.percent_pb2 import FractionalPercent
from google.protobuf.struct_pb2 import Struct

from bluegreen.switches.envoy.translate.packing import packed

RUNTIME_KEY = "bluegreen.access_log_percent"

FIELDS = {
    "start": "%START_TIME%",
    "method": "%REQ(:METHOD)%",
    "host": "%REQ(:AUTHORITY)%",
    "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "protocol": "%PROTOCOL%",
    "status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "milliseconds": "%DURATION%",
    "cluster": "%UPSTREAM_CLUSTER%",
    "instance": "%UPSTREAM_HOST%",
    "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "request_id": "%REQ(X-REQUEST-ID)%",
}


def access_log() -> AccessLog:
    line = Struct()
    line.update(FIELDS)
    sampled = RuntimeFilter(
        runtime_key=RUNTIME_KEY, percent_sampled=FractionalPercent(), use_independent_randomness=True
    )
    return AccessLog(
        name="envoy.access_loggers.stdout",
        filter=AccessLogFilter(runtime_filter=sampled),
        typed_config=packed(
            StdoutAccessLog(log_format=SubstitutionFormatString(json_format=line, omit_empty_values=True))
        ),
    )
