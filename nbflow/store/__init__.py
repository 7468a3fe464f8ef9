"""What outlives the process: flows, executions, logs, metrics, triggers, leases, commands, files, namespaces.

`Store` opens a home; everything that is written goes through its `writer`. Engine and scheduler import this package;
a face does so for reading alone.
"""

from nbflow.store.audit import AuditEntry, AuditStore
from nbflow.store.backfills import BackfillStore
from nbflow.store.changes import AddMetric, AppendLog, Change, NoteStateChange, SaveExecution, SaveTaskRun
from nbflow.store.commands import Command, CommandStore
from nbflow.store.criteria import AllOf, AnyOf, Criterion, Match
from nbflow.store.engines import EngineStore
from nbflow.store.executions import DETACHED, ExecutionStore
from nbflow.store.files import LocalFiles
from nbflow.store.flows import FlowStore, StoredFlow
from nbflow.store.garbage import Garbage
from nbflow.store.kv import InvalidValueError, KvEntry, KvStore, KvType, KvValue, read_kv_value
from nbflow.store.leases import Lease, LeaseStore
from nbflow.store.logs import LogStore
from nbflow.store.metrics import MetricStore
from nbflow.store.namespace_files import NamespaceFile, NamespaceFiles
from nbflow.store.namespaces import InvalidNameError, NamespaceStore, StoredNamespace
from nbflow.store.outcomes import Outcome, OutcomeStore, TaskPlace
from nbflow.store.pools import PoolStore
from nbflow.store.purging import Purger
from nbflow.store.records import json_size
from nbflow.store.remote import RemoteFiles
from nbflow.store.schedules import Enrolment, FlowMark, ScheduleStore, Step, noted
from nbflow.store.secrets import SecretEntry, SecretStore, is_encrypted
from nbflow.store.state_changes import Firing, StateChangeStore
from nbflow.store.store import Store
from nbflow.store.triggers import TriggerState, TriggerStore
from nbflow.store.writer import Writer

__all__ = [
    "DETACHED",
    "AddMetric",
    "AllOf",
    "AnyOf",
    "AppendLog",
    "AuditEntry",
    "AuditStore",
    "BackfillStore",
    "Change",
    "Command",
    "CommandStore",
    "Criterion",
    "EngineStore",
    "Enrolment",
    "ExecutionStore",
    "Firing",
    "FlowMark",
    "FlowStore",
    "Garbage",
    "InvalidNameError",
    "InvalidValueError",
    "KvEntry",
    "KvStore",
    "KvType",
    "KvValue",
    "Lease",
    "LeaseStore",
    "LocalFiles",
    "LogStore",
    "Match",
    "MetricStore",
    "NamespaceFile",
    "NamespaceFiles",
    "NamespaceStore",
    "NoteStateChange",
    "Outcome",
    "OutcomeStore",
    "PoolStore",
    "Purger",
    "RemoteFiles",
    "SaveExecution",
    "SaveTaskRun",
    "ScheduleStore",
    "SecretEntry",
    "SecretStore",
    "StateChangeStore",
    "Step",
    "Store",
    "StoredFlow",
    "StoredNamespace",
    "TaskPlace",
    "TriggerState",
    "TriggerStore",
    "Writer",
    "is_encrypted",
    "json_size",
    "noted",
    "read_kv_value",
]
