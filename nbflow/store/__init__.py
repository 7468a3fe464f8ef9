"""What outlives the process: flows, executions, logs, metrics, triggers, leases, commands, files, namespaces.

`Store` opens a home; everything that is written goes through its `writer`. Engine and scheduler import this package;
a face does so for reading alone.
"""

from nbflow.store.audit import AuditEntry, AuditStore
from nbflow.store.changes import AddMetric, AppendLog, Change, NoteStateChange, SaveExecution, SaveTaskRun
from nbflow.store.commands import Command, CommandStore
from nbflow.store.engines import EngineStore
from nbflow.store.executions import ExecutionStore
from nbflow.store.files import LocalFiles
from nbflow.store.flows import FlowStore, StoredFlow
from nbflow.store.garbage import Garbage
from nbflow.store.kv import InvalidValueError, KvEntry, KvStore, KvType, KvValue, read_kv_value
from nbflow.store.logs import LogStore
from nbflow.store.metrics import MetricStore
from nbflow.store.namespace_files import NamespaceFile, NamespaceFiles
from nbflow.store.namespaces import InvalidNameError, NamespaceStore, StoredNamespace
from nbflow.store.outcomes import Outcome, OutcomeStore, TaskPlace
from nbflow.store.pools import PoolStore
from nbflow.store.purging import Purger
from nbflow.store.records import json_size
from nbflow.store.remote import RemoteFiles
from nbflow.store.secrets import SecretEntry, SecretStore, is_encrypted
from nbflow.store.state_changes import Firing, StateChangeStore
from nbflow.store.store import Store
from nbflow.store.triggers import TriggerState, TriggerStore
from nbflow.store.writer import Writer

__all__ = [
    "AddMetric",
    "AppendLog",
    "AuditEntry",
    "AuditStore",
    "Change",
    "Command",
    "CommandStore",
    "EngineStore",
    "ExecutionStore",
    "Firing",
    "FlowStore",
    "Garbage",
    "InvalidNameError",
    "InvalidValueError",
    "KvEntry",
    "KvStore",
    "KvType",
    "KvValue",
    "LocalFiles",
    "LogStore",
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
    "SecretEntry",
    "SecretStore",
    "StateChangeStore",
    "Store",
    "StoredFlow",
    "StoredNamespace",
    "TaskPlace",
    "TriggerState",
    "TriggerStore",
    "Writer",
    "is_encrypted",
    "json_size",
    "read_kv_value",
]
