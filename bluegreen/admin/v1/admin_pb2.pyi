from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Origin(_message.Message):
    __slots__ = ("actor", "reason", "idempotency_key")
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    actor: str
    reason: str
    idempotency_key: str
    def __init__(self, actor: _Optional[str] = ..., reason: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ApplyRequest(_message.Message):
    __slots__ = ("origin", "document", "dry_run", "prune")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    PRUNE_FIELD_NUMBER: _ClassVar[int]
    origin: Origin
    document: str
    dry_run: bool
    prune: bool
    def __init__(self, origin: _Optional[_Union[Origin, _Mapping]] = ..., document: _Optional[str] = ..., dry_run: _Optional[bool] = ..., prune: _Optional[bool] = ...) -> None: ...

class Problem(_message.Message):
    __slots__ = ("line", "path", "message")
    LINE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    line: int
    path: str
    message: str
    def __init__(self, line: _Optional[int] = ..., path: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class Change(_message.Message):
    __slots__ = ("kind", "path", "before", "after")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[Change.Kind]
        ADDED: _ClassVar[Change.Kind]
        CHANGED: _ClassVar[Change.Kind]
        REMOVED: _ClassVar[Change.Kind]
    KIND_UNSPECIFIED: Change.Kind
    ADDED: Change.Kind
    CHANGED: Change.Kind
    REMOVED: Change.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    kind: Change.Kind
    path: str
    before: str
    after: str
    def __init__(self, kind: _Optional[_Union[Change.Kind, str]] = ..., path: _Optional[str] = ..., before: _Optional[str] = ..., after: _Optional[str] = ...) -> None: ...

class ApplyResponse(_message.Message):
    __slots__ = ("problems", "changes")
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    problems: _containers.RepeatedCompositeFieldContainer[Problem]
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    def __init__(self, problems: _Optional[_Iterable[_Union[Problem, _Mapping]]] = ..., changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ...) -> None: ...

class ListServicesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListServicesResponse(_message.Message):
    __slots__ = ("services",)
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    services: _containers.RepeatedCompositeFieldContainer[ServiceStatus]
    def __init__(self, services: _Optional[_Iterable[_Union[ServiceStatus, _Mapping]]] = ...) -> None: ...

class DeployRequest(_message.Message):
    __slots__ = ("origin", "service", "version", "endpoints", "replace_standby")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ENDPOINTS_FIELD_NUMBER: _ClassVar[int]
    REPLACE_STANDBY_FIELD_NUMBER: _ClassVar[int]
    origin: Origin
    service: str
    version: str
    endpoints: _containers.RepeatedScalarFieldContainer[str]
    replace_standby: bool
    def __init__(self, origin: _Optional[_Union[Origin, _Mapping]] = ..., service: _Optional[str] = ..., version: _Optional[str] = ..., endpoints: _Optional[_Iterable[str]] = ..., replace_standby: _Optional[bool] = ...) -> None: ...

class PromoteRequest(_message.Message):
    __slots__ = ("origin", "service", "full", "expected", "force")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    FULL_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    origin: Origin
    service: str
    full: bool
    expected: Standing
    force: bool
    def __init__(self, origin: _Optional[_Union[Origin, _Mapping]] = ..., service: _Optional[str] = ..., full: _Optional[bool] = ..., expected: _Optional[_Union[Standing, _Mapping]] = ..., force: _Optional[bool] = ...) -> None: ...

class CommandRequest(_message.Message):
    __slots__ = ("origin", "service", "force", "expected")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    origin: Origin
    service: str
    force: bool
    expected: Standing
    def __init__(self, origin: _Optional[_Union[Origin, _Mapping]] = ..., service: _Optional[str] = ..., force: _Optional[bool] = ..., expected: _Optional[_Union[Standing, _Mapping]] = ...) -> None: ...

class Standing(_message.Message):
    __slots__ = ("rollout_id", "step", "goes_on", "candidate_revision", "active_revision")
    ROLLOUT_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    GOES_ON_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_REVISION_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_REVISION_FIELD_NUMBER: _ClassVar[int]
    rollout_id: int
    step: int
    goes_on: bool
    candidate_revision: int
    active_revision: int
    def __init__(self, rollout_id: _Optional[int] = ..., step: _Optional[int] = ..., goes_on: _Optional[bool] = ..., candidate_revision: _Optional[int] = ..., active_revision: _Optional[int] = ...) -> None: ...

class RetireRequest(_message.Message):
    __slots__ = ("origin", "service", "confirmed", "expected")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    origin: Origin
    service: str
    confirmed: bool
    expected: Standing
    def __init__(self, origin: _Optional[_Union[Origin, _Mapping]] = ..., service: _Optional[str] = ..., confirmed: _Optional[bool] = ..., expected: _Optional[_Union[Standing, _Mapping]] = ...) -> None: ...

class TestRequest(_message.Message):
    __slots__ = ("origin", "service", "active")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    origin: Origin
    service: str
    active: bool
    def __init__(self, origin: _Optional[_Union[Origin, _Mapping]] = ..., service: _Optional[str] = ..., active: _Optional[bool] = ...) -> None: ...

class ScaleRequest(_message.Message):
    __slots__ = ("origin", "service", "instances")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    origin: Origin
    service: str
    instances: int
    def __init__(self, origin: _Optional[_Union[Origin, _Mapping]] = ..., service: _Optional[str] = ..., instances: _Optional[int] = ...) -> None: ...

class MigrateRequest(_message.Message):
    __slots__ = ("origin", "service", "phase", "version", "accept_drift", "retire_standby", "expected")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ACCEPT_DRIFT_FIELD_NUMBER: _ClassVar[int]
    RETIRE_STANDBY_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    origin: Origin
    service: str
    phase: str
    version: str
    accept_drift: bool
    retire_standby: bool
    expected: Standing
    def __init__(self, origin: _Optional[_Union[Origin, _Mapping]] = ..., service: _Optional[str] = ..., phase: _Optional[str] = ..., version: _Optional[str] = ..., accept_drift: _Optional[bool] = ..., retire_standby: _Optional[bool] = ..., expected: _Optional[_Union[Standing, _Mapping]] = ...) -> None: ...

class PlanMigrationsRequest(_message.Message):
    __slots__ = ("service", "version")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    service: str
    version: str
    def __init__(self, service: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class CommandResponse(_message.Message):
    __slots__ = ("message", "deployment_revision", "rollout_id", "status", "check", "migration_run")
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_REVISION_FIELD_NUMBER: _ClassVar[int]
    ROLLOUT_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CHECK_FIELD_NUMBER: _ClassVar[int]
    MIGRATION_RUN_FIELD_NUMBER: _ClassVar[int]
    message: str
    deployment_revision: int
    rollout_id: int
    status: ServiceStatus
    check: Check
    migration_run: MigrationRun
    def __init__(self, message: _Optional[str] = ..., deployment_revision: _Optional[int] = ..., rollout_id: _Optional[int] = ..., status: _Optional[_Union[ServiceStatus, _Mapping]] = ..., check: _Optional[_Union[Check, _Mapping]] = ..., migration_run: _Optional[_Union[MigrationRun, _Mapping]] = ...) -> None: ...

class GetStatusRequest(_message.Message):
    __slots__ = ("service", "instances", "ledger")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    LEDGER_FIELD_NUMBER: _ClassVar[int]
    service: str
    instances: bool
    ledger: bool
    def __init__(self, service: _Optional[str] = ..., instances: _Optional[bool] = ..., ledger: _Optional[bool] = ...) -> None: ...

class GetInstanceLogRequest(_message.Message):
    __slots__ = ("service", "instance", "lines")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    service: str
    instance: str
    lines: int
    def __init__(self, service: _Optional[str] = ..., instance: _Optional[str] = ..., lines: _Optional[int] = ...) -> None: ...

class GetInstanceLogResponse(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...

class GetHistoryRequest(_message.Message):
    __slots__ = ("service", "limit")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    service: str
    limit: int
    def __init__(self, service: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class GetHistoryResponse(_message.Message):
    __slots__ = ("deployments", "rollouts", "checks", "migration_runs")
    DEPLOYMENTS_FIELD_NUMBER: _ClassVar[int]
    ROLLOUTS_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    MIGRATION_RUNS_FIELD_NUMBER: _ClassVar[int]
    deployments: _containers.RepeatedCompositeFieldContainer[Deployment]
    rollouts: _containers.RepeatedCompositeFieldContainer[Rollout]
    checks: _containers.RepeatedCompositeFieldContainer[Check]
    migration_runs: _containers.RepeatedCompositeFieldContainer[MigrationRun]
    def __init__(self, deployments: _Optional[_Iterable[_Union[Deployment, _Mapping]]] = ..., rollouts: _Optional[_Iterable[_Union[Rollout, _Mapping]]] = ..., checks: _Optional[_Iterable[_Union[Check, _Mapping]]] = ..., migration_runs: _Optional[_Iterable[_Union[MigrationRun, _Mapping]]] = ...) -> None: ...

class ListEventsRequest(_message.Message):
    __slots__ = ("service", "limit", "follow", "after")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    service: str
    limit: int
    follow: bool
    after: int
    def __init__(self, service: _Optional[str] = ..., limit: _Optional[int] = ..., follow: _Optional[bool] = ..., after: _Optional[int] = ...) -> None: ...

class ListProxiesRequest(_message.Message):
    __slots__ = ("gateway",)
    GATEWAY_FIELD_NUMBER: _ClassVar[int]
    gateway: str
    def __init__(self, gateway: _Optional[str] = ...) -> None: ...

class ListProxiesResponse(_message.Message):
    __slots__ = ("proxies",)
    PROXIES_FIELD_NUMBER: _ClassVar[int]
    proxies: _containers.RepeatedCompositeFieldContainer[Proxy]
    def __init__(self, proxies: _Optional[_Iterable[_Union[Proxy, _Mapping]]] = ...) -> None: ...

class ForgetProxyRequest(_message.Message):
    __slots__ = ("origin", "proxy")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    PROXY_FIELD_NUMBER: _ClassVar[int]
    origin: Origin
    proxy: str
    def __init__(self, origin: _Optional[_Union[Origin, _Mapping]] = ..., proxy: _Optional[str] = ...) -> None: ...

class ForgetProxyResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ServiceStatus(_message.Message):
    __slots__ = ("service", "gateways", "revision", "active_environment", "cutover_percent", "deployments", "rollout", "proxies", "activity", "recent_events", "domains", "unattributed_failures", "standing", "checks", "observation", "disparities", "rollback_scale_up", "database", "migration_runs", "migration_progress", "way_back_ends", "ledger", "migrations_left")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    GATEWAYS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    CUTOVER_PERCENT_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENTS_FIELD_NUMBER: _ClassVar[int]
    ROLLOUT_FIELD_NUMBER: _ClassVar[int]
    PROXIES_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_FIELD_NUMBER: _ClassVar[int]
    RECENT_EVENTS_FIELD_NUMBER: _ClassVar[int]
    DOMAINS_FIELD_NUMBER: _ClassVar[int]
    UNATTRIBUTED_FAILURES_FIELD_NUMBER: _ClassVar[int]
    STANDING_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    OBSERVATION_FIELD_NUMBER: _ClassVar[int]
    DISPARITIES_FIELD_NUMBER: _ClassVar[int]
    ROLLBACK_SCALE_UP_FIELD_NUMBER: _ClassVar[int]
    DATABASE_FIELD_NUMBER: _ClassVar[int]
    MIGRATION_RUNS_FIELD_NUMBER: _ClassVar[int]
    MIGRATION_PROGRESS_FIELD_NUMBER: _ClassVar[int]
    WAY_BACK_ENDS_FIELD_NUMBER: _ClassVar[int]
    LEDGER_FIELD_NUMBER: _ClassVar[int]
    MIGRATIONS_LEFT_FIELD_NUMBER: _ClassVar[int]
    service: str
    gateways: _containers.RepeatedScalarFieldContainer[str]
    revision: int
    active_environment: str
    cutover_percent: int
    deployments: _containers.RepeatedCompositeFieldContainer[Deployment]
    rollout: Rollout
    proxies: _containers.RepeatedCompositeFieldContainer[ProxyView]
    activity: str
    recent_events: _containers.RepeatedCompositeFieldContainer[Event]
    domains: _containers.RepeatedScalarFieldContainer[str]
    unattributed_failures: int
    standing: Standing
    checks: _containers.RepeatedCompositeFieldContainer[Check]
    observation: Observation
    disparities: _containers.RepeatedCompositeFieldContainer[Disparity]
    rollback_scale_up: ScaleUp
    database: str
    migration_runs: _containers.RepeatedCompositeFieldContainer[MigrationRun]
    migration_progress: MigrationProgress
    way_back_ends: str
    ledger: _containers.RepeatedCompositeFieldContainer[AppliedMigration]
    migrations_left: _containers.RepeatedCompositeFieldContainer[MigrationsLeft]
    def __init__(self, service: _Optional[str] = ..., gateways: _Optional[_Iterable[str]] = ..., revision: _Optional[int] = ..., active_environment: _Optional[str] = ..., cutover_percent: _Optional[int] = ..., deployments: _Optional[_Iterable[_Union[Deployment, _Mapping]]] = ..., rollout: _Optional[_Union[Rollout, _Mapping]] = ..., proxies: _Optional[_Iterable[_Union[ProxyView, _Mapping]]] = ..., activity: _Optional[str] = ..., recent_events: _Optional[_Iterable[_Union[Event, _Mapping]]] = ..., domains: _Optional[_Iterable[str]] = ..., unattributed_failures: _Optional[int] = ..., standing: _Optional[_Union[Standing, _Mapping]] = ..., checks: _Optional[_Iterable[_Union[Check, _Mapping]]] = ..., observation: _Optional[_Union[Observation, _Mapping]] = ..., disparities: _Optional[_Iterable[_Union[Disparity, _Mapping]]] = ..., rollback_scale_up: _Optional[_Union[ScaleUp, _Mapping]] = ..., database: _Optional[str] = ..., migration_runs: _Optional[_Iterable[_Union[MigrationRun, _Mapping]]] = ..., migration_progress: _Optional[_Union[MigrationProgress, _Mapping]] = ..., way_back_ends: _Optional[str] = ..., ledger: _Optional[_Iterable[_Union[AppliedMigration, _Mapping]]] = ..., migrations_left: _Optional[_Iterable[_Union[MigrationsLeft, _Mapping]]] = ...) -> None: ...

class MigrationsLeft(_message.Message):
    __slots__ = ("version", "backfills", "contracts")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    BACKFILLS_FIELD_NUMBER: _ClassVar[int]
    CONTRACTS_FIELD_NUMBER: _ClassVar[int]
    version: str
    backfills: _containers.RepeatedScalarFieldContainer[str]
    contracts: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, version: _Optional[str] = ..., backfills: _Optional[_Iterable[str]] = ..., contracts: _Optional[_Iterable[str]] = ...) -> None: ...

class MigrationRun(_message.Message):
    __slots__ = ("id", "version", "phase", "deployment_revision", "author", "accept_drift", "verdict", "summary", "findings", "wanted_at", "begun_at", "finished_at", "backfills_left", "contracts_left")
    ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_REVISION_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    ACCEPT_DRIFT_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    WANTED_AT_FIELD_NUMBER: _ClassVar[int]
    BEGUN_AT_FIELD_NUMBER: _ClassVar[int]
    FINISHED_AT_FIELD_NUMBER: _ClassVar[int]
    BACKFILLS_LEFT_FIELD_NUMBER: _ClassVar[int]
    CONTRACTS_LEFT_FIELD_NUMBER: _ClassVar[int]
    id: int
    version: str
    phase: str
    deployment_revision: int
    author: str
    accept_drift: bool
    verdict: str
    summary: str
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    wanted_at: float
    begun_at: float
    finished_at: float
    backfills_left: _containers.RepeatedScalarFieldContainer[str]
    contracts_left: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[int] = ..., version: _Optional[str] = ..., phase: _Optional[str] = ..., deployment_revision: _Optional[int] = ..., author: _Optional[str] = ..., accept_drift: _Optional[bool] = ..., verdict: _Optional[str] = ..., summary: _Optional[str] = ..., findings: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ..., wanted_at: _Optional[float] = ..., begun_at: _Optional[float] = ..., finished_at: _Optional[float] = ..., backfills_left: _Optional[_Iterable[str]] = ..., contracts_left: _Optional[_Iterable[str]] = ...) -> None: ...

class MigrationProgress(_message.Message):
    __slots__ = ("file", "rows_done", "rows_total", "rows_per_second", "seconds_left", "note")
    FILE_FIELD_NUMBER: _ClassVar[int]
    ROWS_DONE_FIELD_NUMBER: _ClassVar[int]
    ROWS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    ROWS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    SECONDS_LEFT_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    file: str
    rows_done: int
    rows_total: int
    rows_per_second: float
    seconds_left: float
    note: str
    def __init__(self, file: _Optional[str] = ..., rows_done: _Optional[int] = ..., rows_total: _Optional[int] = ..., rows_per_second: _Optional[float] = ..., seconds_left: _Optional[float] = ..., note: _Optional[str] = ...) -> None: ...

class Migration(_message.Message):
    __slots__ = ("number", "name", "phase")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    number: int
    name: str
    phase: str
    def __init__(self, number: _Optional[int] = ..., name: _Optional[str] = ..., phase: _Optional[str] = ...) -> None: ...

class AppliedMigration(_message.Message):
    __slots__ = ("migration", "checksum", "version", "author", "applied_at", "seconds")
    MIGRATION_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    APPLIED_AT_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    migration: Migration
    checksum: str
    version: str
    author: str
    applied_at: float
    seconds: float
    def __init__(self, migration: _Optional[_Union[Migration, _Mapping]] = ..., checksum: _Optional[str] = ..., version: _Optional[str] = ..., author: _Optional[str] = ..., applied_at: _Optional[float] = ..., seconds: _Optional[float] = ...) -> None: ...

class PlannedMigration(_message.Message):
    __slots__ = ("migration", "file", "statements")
    MIGRATION_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    STATEMENTS_FIELD_NUMBER: _ClassVar[int]
    migration: Migration
    file: str
    statements: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, migration: _Optional[_Union[Migration, _Mapping]] = ..., file: _Optional[str] = ..., statements: _Optional[_Iterable[str]] = ...) -> None: ...

class LintFinding(_message.Message):
    __slots__ = ("file", "line", "column", "rule", "reason", "safe_way", "refused")
    FILE_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SAFE_WAY_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    file: str
    line: int
    column: int
    rule: str
    reason: str
    safe_way: str
    refused: bool
    def __init__(self, file: _Optional[str] = ..., line: _Optional[int] = ..., column: _Optional[int] = ..., rule: _Optional[str] = ..., reason: _Optional[str] = ..., safe_way: _Optional[str] = ..., refused: _Optional[bool] = ...) -> None: ...

class MigrationPlan(_message.Message):
    __slots__ = ("applied", "pending", "problems", "findings", "drift")
    APPLIED_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    DRIFT_FIELD_NUMBER: _ClassVar[int]
    applied: _containers.RepeatedCompositeFieldContainer[AppliedMigration]
    pending: _containers.RepeatedCompositeFieldContainer[PlannedMigration]
    problems: _containers.RepeatedScalarFieldContainer[str]
    findings: _containers.RepeatedCompositeFieldContainer[LintFinding]
    drift: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, applied: _Optional[_Iterable[_Union[AppliedMigration, _Mapping]]] = ..., pending: _Optional[_Iterable[_Union[PlannedMigration, _Mapping]]] = ..., problems: _Optional[_Iterable[str]] = ..., findings: _Optional[_Iterable[_Union[LintFinding, _Mapping]]] = ..., drift: _Optional[_Iterable[str]] = ...) -> None: ...

class Disparity(_message.Message):
    __slots__ = ("what", "active", "other")
    WHAT_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    OTHER_FIELD_NUMBER: _ClassVar[int]
    what: str
    active: str
    other: str
    def __init__(self, what: _Optional[str] = ..., active: _Optional[str] = ..., other: _Optional[str] = ...) -> None: ...

class ScaleUp(_message.Message):
    __slots__ = ("deployment_revision", "from_instances", "to_instances")
    DEPLOYMENT_REVISION_FIELD_NUMBER: _ClassVar[int]
    FROM_INSTANCES_FIELD_NUMBER: _ClassVar[int]
    TO_INSTANCES_FIELD_NUMBER: _ClassVar[int]
    deployment_revision: int
    from_instances: int
    to_instances: int
    def __init__(self, deployment_revision: _Optional[int] = ..., from_instances: _Optional[int] = ..., to_instances: _Optional[int] = ...) -> None: ...

class Check(_message.Message):
    __slots__ = ("id", "kind", "subject", "deployment_revision", "rollout_id", "step", "verdict", "summary", "findings", "wanted_at", "finished_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_REVISION_FIELD_NUMBER: _ClassVar[int]
    ROLLOUT_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    WANTED_AT_FIELD_NUMBER: _ClassVar[int]
    FINISHED_AT_FIELD_NUMBER: _ClassVar[int]
    id: int
    kind: str
    subject: str
    deployment_revision: int
    rollout_id: int
    step: int
    verdict: str
    summary: str
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    wanted_at: float
    finished_at: float
    def __init__(self, id: _Optional[int] = ..., kind: _Optional[str] = ..., subject: _Optional[str] = ..., deployment_revision: _Optional[int] = ..., rollout_id: _Optional[int] = ..., step: _Optional[int] = ..., verdict: _Optional[str] = ..., summary: _Optional[str] = ..., findings: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ..., wanted_at: _Optional[float] = ..., finished_at: _Optional[float] = ...) -> None: ...

class Finding(_message.Message):
    __slots__ = ("name", "verdict", "summary", "output", "seconds")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    name: str
    verdict: str
    summary: str
    output: str
    seconds: float
    def __init__(self, name: _Optional[str] = ..., verdict: _Optional[str] = ..., summary: _Optional[str] = ..., output: _Optional[str] = ..., seconds: _Optional[float] = ...) -> None: ...

class Observation(_message.Message):
    __slots__ = ("candidate_revision", "active_revision", "rollout_id", "step", "since", "begun", "verdict", "watched", "first_bad_at")
    CANDIDATE_REVISION_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_REVISION_FIELD_NUMBER: _ClassVar[int]
    ROLLOUT_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    BEGUN_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    WATCHED_FIELD_NUMBER: _ClassVar[int]
    FIRST_BAD_AT_FIELD_NUMBER: _ClassVar[int]
    candidate_revision: int
    active_revision: int
    rollout_id: int
    step: int
    since: float
    begun: float
    verdict: str
    watched: _containers.RepeatedCompositeFieldContainer[Watched]
    first_bad_at: float
    def __init__(self, candidate_revision: _Optional[int] = ..., active_revision: _Optional[int] = ..., rollout_id: _Optional[int] = ..., step: _Optional[int] = ..., since: _Optional[float] = ..., begun: _Optional[float] = ..., verdict: _Optional[str] = ..., watched: _Optional[_Iterable[_Union[Watched, _Mapping]]] = ..., first_bad_at: _Optional[float] = ...) -> None: ...

class Watched(_message.Message):
    __slots__ = ("last", "passes", "fails", "inconclusives", "errors")
    LAST_FIELD_NUMBER: _ClassVar[int]
    PASSES_FIELD_NUMBER: _ClassVar[int]
    FAILS_FIELD_NUMBER: _ClassVar[int]
    INCONCLUSIVES_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    last: Finding
    passes: int
    fails: int
    inconclusives: int
    errors: int
    def __init__(self, last: _Optional[_Union[Finding, _Mapping]] = ..., passes: _Optional[int] = ..., fails: _Optional[int] = ..., inconclusives: _Optional[int] = ..., errors: _Optional[int] = ...) -> None: ...

class Deployment(_message.Message):
    __slots__ = ("revision", "version", "environment", "status", "deployed_at", "activated_at", "status_since", "endpoints", "set_percent", "acknowledged_by", "proxies", "observed_percent", "requests", "failures", "active_requests", "requests_per_second", "p50_ms", "p99_ms", "deadline_at", "released", "note", "silent_proxies", "capacity", "instances")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DEPLOYED_AT_FIELD_NUMBER: _ClassVar[int]
    ACTIVATED_AT_FIELD_NUMBER: _ClassVar[int]
    STATUS_SINCE_FIELD_NUMBER: _ClassVar[int]
    ENDPOINTS_FIELD_NUMBER: _ClassVar[int]
    SET_PERCENT_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_BY_FIELD_NUMBER: _ClassVar[int]
    PROXIES_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_PERCENT_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    P50_MS_FIELD_NUMBER: _ClassVar[int]
    P99_MS_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_AT_FIELD_NUMBER: _ClassVar[int]
    RELEASED_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    SILENT_PROXIES_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    revision: int
    version: str
    environment: str
    status: str
    deployed_at: float
    activated_at: float
    status_since: float
    endpoints: _containers.RepeatedScalarFieldContainer[str]
    set_percent: int
    acknowledged_by: int
    proxies: int
    observed_percent: float
    requests: int
    failures: int
    active_requests: int
    requests_per_second: float
    p50_ms: float
    p99_ms: float
    deadline_at: float
    released: bool
    note: str
    silent_proxies: int
    capacity: Capacity
    instances: _containers.RepeatedCompositeFieldContainer[Instance]
    def __init__(self, revision: _Optional[int] = ..., version: _Optional[str] = ..., environment: _Optional[str] = ..., status: _Optional[str] = ..., deployed_at: _Optional[float] = ..., activated_at: _Optional[float] = ..., status_since: _Optional[float] = ..., endpoints: _Optional[_Iterable[str]] = ..., set_percent: _Optional[int] = ..., acknowledged_by: _Optional[int] = ..., proxies: _Optional[int] = ..., observed_percent: _Optional[float] = ..., requests: _Optional[int] = ..., failures: _Optional[int] = ..., active_requests: _Optional[int] = ..., requests_per_second: _Optional[float] = ..., p50_ms: _Optional[float] = ..., p99_ms: _Optional[float] = ..., deadline_at: _Optional[float] = ..., released: _Optional[bool] = ..., note: _Optional[str] = ..., silent_proxies: _Optional[int] = ..., capacity: _Optional[_Union[Capacity, _Mapping]] = ..., instances: _Optional[_Iterable[_Union[Instance, _Mapping]]] = ...) -> None: ...

class Capacity(_message.Message):
    __slots__ = ("provided_by", "wanted", "full", "up", "leaving", "failed", "summary", "scale_up_seconds")
    PROVIDED_BY_FIELD_NUMBER: _ClassVar[int]
    WANTED_FIELD_NUMBER: _ClassVar[int]
    FULL_FIELD_NUMBER: _ClassVar[int]
    UP_FIELD_NUMBER: _ClassVar[int]
    LEAVING_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    SCALE_UP_SECONDS_FIELD_NUMBER: _ClassVar[int]
    provided_by: str
    wanted: int
    full: int
    up: int
    leaving: int
    failed: int
    summary: str
    scale_up_seconds: float
    def __init__(self, provided_by: _Optional[str] = ..., wanted: _Optional[int] = ..., full: _Optional[int] = ..., up: _Optional[int] = ..., leaving: _Optional[int] = ..., failed: _Optional[int] = ..., summary: _Optional[str] = ..., scale_up_seconds: _Optional[float] = ...) -> None: ...

class Instance(_message.Message):
    __slots__ = ("id", "endpoint", "state", "since", "restarts", "note", "leaving")
    ID_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    LEAVING_FIELD_NUMBER: _ClassVar[int]
    id: str
    endpoint: str
    state: str
    since: float
    restarts: int
    note: str
    leaving: bool
    def __init__(self, id: _Optional[str] = ..., endpoint: _Optional[str] = ..., state: _Optional[str] = ..., since: _Optional[float] = ..., restarts: _Optional[int] = ..., note: _Optional[str] = ..., leaving: _Optional[bool] = ...) -> None: ...

class Rollout(_message.Message):
    __slots__ = ("id", "kind", "candidate_revision", "previous_revision", "steps", "step", "percent", "state", "reason", "started_at", "finished_at", "hold_until", "seconds_to_last_ack", "skew_seconds", "seconds_from_first_bad", "approval_wanted")
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_REVISION_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_REVISION_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    FINISHED_AT_FIELD_NUMBER: _ClassVar[int]
    HOLD_UNTIL_FIELD_NUMBER: _ClassVar[int]
    SECONDS_TO_LAST_ACK_FIELD_NUMBER: _ClassVar[int]
    SKEW_SECONDS_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FROM_FIRST_BAD_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_WANTED_FIELD_NUMBER: _ClassVar[int]
    id: int
    kind: str
    candidate_revision: int
    previous_revision: int
    steps: _containers.RepeatedScalarFieldContainer[int]
    step: int
    percent: int
    state: str
    reason: str
    started_at: float
    finished_at: float
    hold_until: float
    seconds_to_last_ack: float
    skew_seconds: float
    seconds_from_first_bad: float
    approval_wanted: bool
    def __init__(self, id: _Optional[int] = ..., kind: _Optional[str] = ..., candidate_revision: _Optional[int] = ..., previous_revision: _Optional[int] = ..., steps: _Optional[_Iterable[int]] = ..., step: _Optional[int] = ..., percent: _Optional[int] = ..., state: _Optional[str] = ..., reason: _Optional[str] = ..., started_at: _Optional[float] = ..., finished_at: _Optional[float] = ..., hold_until: _Optional[float] = ..., seconds_to_last_ack: _Optional[float] = ..., skew_seconds: _Optional[float] = ..., seconds_from_first_bad: _Optional[float] = ..., approval_wanted: _Optional[bool] = ...) -> None: ...

class ProxyView(_message.Message):
    __slots__ = ("proxy", "gateway", "connected", "acknowledged", "acknowledged_after", "rejected", "backends", "silent", "listener_rejected", "has_namesake")
    PROXY_FIELD_NUMBER: _ClassVar[int]
    GATEWAY_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_AFTER_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    BACKENDS_FIELD_NUMBER: _ClassVar[int]
    SILENT_FIELD_NUMBER: _ClassVar[int]
    LISTENER_REJECTED_FIELD_NUMBER: _ClassVar[int]
    HAS_NAMESAKE_FIELD_NUMBER: _ClassVar[int]
    proxy: str
    gateway: str
    connected: bool
    acknowledged: bool
    acknowledged_after: float
    rejected: str
    backends: _containers.RepeatedCompositeFieldContainer[BackendView]
    silent: bool
    listener_rejected: str
    has_namesake: bool
    def __init__(self, proxy: _Optional[str] = ..., gateway: _Optional[str] = ..., connected: _Optional[bool] = ..., acknowledged: _Optional[bool] = ..., acknowledged_after: _Optional[float] = ..., rejected: _Optional[str] = ..., backends: _Optional[_Iterable[_Union[BackendView, _Mapping]]] = ..., silent: _Optional[bool] = ..., listener_rejected: _Optional[str] = ..., has_namesake: _Optional[bool] = ...) -> None: ...

class BackendView(_message.Message):
    __slots__ = ("revision", "acknowledged", "warming", "healthy", "expected", "active_requests")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    WARMING_FIELD_NUMBER: _ClassVar[int]
    HEALTHY_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    revision: int
    acknowledged: bool
    warming: bool
    healthy: int
    expected: int
    active_requests: int
    def __init__(self, revision: _Optional[int] = ..., acknowledged: _Optional[bool] = ..., warming: _Optional[bool] = ..., healthy: _Optional[int] = ..., expected: _Optional[int] = ..., active_requests: _Optional[int] = ...) -> None: ...

class Proxy(_message.Message):
    __slots__ = ("id", "gateway", "version", "connected", "first_seen", "last_seen", "connected_since", "reported_at", "types", "refused", "has_namesake")
    ID_FIELD_NUMBER: _ClassVar[int]
    GATEWAY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_SINCE_FIELD_NUMBER: _ClassVar[int]
    REPORTED_AT_FIELD_NUMBER: _ClassVar[int]
    TYPES_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    HAS_NAMESAKE_FIELD_NUMBER: _ClassVar[int]
    id: str
    gateway: str
    version: str
    connected: bool
    first_seen: float
    last_seen: float
    connected_since: float
    reported_at: float
    types: _containers.RepeatedCompositeFieldContainer[ResourceTypeView]
    refused: str
    has_namesake: bool
    def __init__(self, id: _Optional[str] = ..., gateway: _Optional[str] = ..., version: _Optional[str] = ..., connected: _Optional[bool] = ..., first_seen: _Optional[float] = ..., last_seen: _Optional[float] = ..., connected_since: _Optional[float] = ..., reported_at: _Optional[float] = ..., types: _Optional[_Iterable[_Union[ResourceTypeView, _Mapping]]] = ..., refused: _Optional[str] = ..., has_namesake: _Optional[bool] = ...) -> None: ...

class ResourceTypeView(_message.Message):
    __slots__ = ("type", "sent", "acknowledged", "rejected", "subscriptions", "nacks")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTIONS_FIELD_NUMBER: _ClassVar[int]
    NACKS_FIELD_NUMBER: _ClassVar[int]
    type: str
    sent: str
    acknowledged: str
    rejected: str
    subscriptions: int
    nacks: int
    def __init__(self, type: _Optional[str] = ..., sent: _Optional[str] = ..., acknowledged: _Optional[str] = ..., rejected: _Optional[str] = ..., subscriptions: _Optional[int] = ..., nacks: _Optional[int] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("id", "at", "service", "what", "to", "actor", "reason", "message", "deployment_revision", "rollout_id", "traffic_before", "traffic_after", "snapshot")
    ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    WHAT_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_REVISION_FIELD_NUMBER: _ClassVar[int]
    ROLLOUT_ID_FIELD_NUMBER: _ClassVar[int]
    TRAFFIC_BEFORE_FIELD_NUMBER: _ClassVar[int]
    TRAFFIC_AFTER_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    id: int
    at: float
    service: str
    what: str
    to: str
    actor: str
    reason: str
    message: str
    deployment_revision: int
    rollout_id: int
    traffic_before: str
    traffic_after: str
    snapshot: str
    def __init__(self, id: _Optional[int] = ..., at: _Optional[float] = ..., service: _Optional[str] = ..., what: _Optional[str] = ..., to: _Optional[str] = ..., actor: _Optional[str] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., deployment_revision: _Optional[int] = ..., rollout_id: _Optional[int] = ..., traffic_before: _Optional[str] = ..., traffic_after: _Optional[str] = ..., snapshot: _Optional[str] = ..., **kwargs) -> None: ...
