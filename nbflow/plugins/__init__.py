"""The contract that plugins import, ours and others': bases, the context, `Dynamic`, the registry.

Anything above `model` and `expressions` may import this package; a third party needs nothing else of nbflow.
"""

from nbflow.model.base import Duration, Model, Text
from nbflow.model.dynamic import Dynamic
from nbflow.model.execution import TaskRun
from nbflow.model.state import State
from nbflow.model.task import LogLevel, Task, TaskField
from nbflow.plugins.catalog import Catalog
from nbflow.plugins.context import (
    Executions,
    FileStorage,
    KvStorage,
    NamespaceFileStorage,
    RunContext,
    TaskLog,
    Triggers,
    Upkeep,
)
from nbflow.plugins.registry import (
    Registry,
    condition_type,
    plugin_type,
    registry,
    runner_type,
    task_type,
    trigger_type,
)
from nbflow.plugins.runner import Command, RunnerField, TaskRunner
from nbflow.plugins.task import Branch, FlowableTask, Order, Outcome, RunnableTask, Scope
from nbflow.plugins.trigger import Condition, Facts, Question, Trigger

__all__ = [
    "Branch",
    "Catalog",
    "Command",
    "Condition",
    "Duration",
    "Dynamic",
    "Executions",
    "Facts",
    "FileStorage",
    "FlowableTask",
    "KvStorage",
    "LogLevel",
    "Model",
    "NamespaceFileStorage",
    "Order",
    "Outcome",
    "Question",
    "Registry",
    "RunContext",
    "RunnableTask",
    "RunnerField",
    "Scope",
    "State",
    "Task",
    "TaskField",
    "TaskLog",
    "TaskRun",
    "TaskRunner",
    "Text",
    "Trigger",
    "Triggers",
    "Upkeep",
    "condition_type",
    "plugin_type",
    "registry",
    "runner_type",
    "task_type",
    "trigger_type",
]
