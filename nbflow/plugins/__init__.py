"""The contract that plugins import, ours and others': bases, the context, `Dynamic`, the registry.

Anything above `model` and `expressions` may import this package; a third party needs nothing else of nbflow.
"""

from nbflow.errors import MissingExtraError, TaskFailedError
from nbflow.model.base import Duration, Model, Text
from nbflow.model.condition import ConditionField
from nbflow.model.dynamic import Dynamic
from nbflow.model.example import Example
from nbflow.model.execution import TaskRun
from nbflow.model.state import State, worst
from nbflow.model.task import LogLevel, Task, TaskField
from nbflow.plugins.blocking import run_blocking
from nbflow.plugins.catalog import Catalog
from nbflow.plugins.context import RunContext, TaskLog
from nbflow.plugins.home import Executions, FlowSource, FlowSources, Triggers, Upkeep
from nbflow.plugins.registry import (
    Registry,
    condition_type,
    expression_filter,
    expression_function,
    plugin_type,
    registry,
    runner_type,
    task_type,
    trigger_type,
)
from nbflow.plugins.runner import Ahead, Command, OnLine, RunnerField, TaskRunner
from nbflow.plugins.storages import FileStorage, KvStorage, NamespaceFileStorage
from nbflow.plugins.task import Branch, FlowableTask, Order, Outcome, RunnableTask, Scope
from nbflow.plugins.trigger import Condition, Facts, Found, PollingTrigger, Question, RealtimeTrigger, Trigger
from nbflow.plugins.truth import is_true
from nbflow.types import JsonValue

__all__ = [
    "Ahead",
    "Branch",
    "Catalog",
    "Command",
    "Condition",
    "ConditionField",
    "Duration",
    "Dynamic",
    "Example",
    "Executions",
    "Facts",
    "FileStorage",
    "FlowSource",
    "FlowSources",
    "FlowableTask",
    "Found",
    "JsonValue",
    "KvStorage",
    "LogLevel",
    "MissingExtraError",
    "Model",
    "NamespaceFileStorage",
    "OnLine",
    "Order",
    "Outcome",
    "PollingTrigger",
    "Question",
    "RealtimeTrigger",
    "Registry",
    "RunContext",
    "RunnableTask",
    "RunnerField",
    "Scope",
    "State",
    "Task",
    "TaskFailedError",
    "TaskField",
    "TaskLog",
    "TaskRun",
    "TaskRunner",
    "Text",
    "Trigger",
    "Triggers",
    "Upkeep",
    "condition_type",
    "expression_filter",
    "expression_function",
    "is_true",
    "plugin_type",
    "registry",
    "run_blocking",
    "runner_type",
    "task_type",
    "trigger_type",
    "worst",
]
