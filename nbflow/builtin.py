"""The catalog of what nbflow itself ships: type name or alias → where the class is. Texts only, nothing imported.

`tests/plugins/test_catalog.py` holds this page and the classes together.
"""

from __future__ import annotations

from nbflow.plugins.catalog import Catalog


def _names(target: str, *names: str) -> dict[str, str]:
    return dict.fromkeys(names, target)


def _flow(target: str, name: str, *aliases: str, old: bool = True) -> dict[str, str]:
    """A flowable task: `name` was in `io.kestra.core.tasks.flows` before."""
    older = (f"io.kestra.core.tasks.flows.{name}",) if old else ()
    return _names(f"nbflow.tasks.flow.{target}", f"io.kestra.plugin.core.flow.{name}", *older, *aliases)


def _storage(target: str, name: str, *aliases: str) -> dict[str, str]:
    """A task on stored files: `name` was in `io.kestra.core.tasks.storages` before."""
    return _names(
        f"nbflow.tasks.storage.{target}",
        f"io.kestra.plugin.core.storage.{name}",
        f"io.kestra.core.tasks.storages.{name}",
        *aliases,
    )


def _condition(target: str, name: str) -> dict[str, str]:
    """A condition: `<name>Condition` was in three packages before."""
    return _names(
        f"nbflow.triggers.conditions.{target}:{name}",
        f"io.kestra.plugin.core.condition.{name}",
        f"io.kestra.plugin.core.condition.{name}Condition",
        f"io.kestra.core.models.conditions.types.{name}Condition",
        f"io.kestra.core.models.conditions.{name}Condition",
    )


_CORE = "io.kestra.plugin.core"
_OLD = "io.kestra.core.tasks"
_SCRIPTS = "io.kestra.plugin.scripts"

_TASKS: dict[str, str] = {
    **_names(
        "nbflow.tasks.purging:PurgeExecutions",
        f"{_CORE}.execution.PurgeExecutions",
        "purge_executions",
        f"{_CORE}.execution.Purge",
        f"{_CORE}.storage.Purge",
        f"{_OLD}.storages.Purge",
    ),
    **_names("nbflow.tasks.purging:PurgeLogs", f"{_CORE}.log.PurgeLogs", "purge_logs"),
    **_names("nbflow.tasks.purging:PurgeKV", f"{_CORE}.kv.PurgeKV", "purge_kv"),
    **_names("nbflow.tasks.kv:Set", f"{_CORE}.kv.Set", "kv_set"),
    **_names("nbflow.tasks.kv:Get", f"{_CORE}.kv.Get", "kv_get"),
    **_names("nbflow.tasks.kv:Delete", f"{_CORE}.kv.Delete", "kv_delete"),
    **_names("nbflow.tasks.kv:GetKeys", f"{_CORE}.kv.GetKeys", "kv_keys"),
    **_names("nbflow.tasks.state:Set", f"{_CORE}.state.Set", "state_set", f"{_OLD}.states.Set"),
    **_names("nbflow.tasks.state:Get", f"{_CORE}.state.Get", "state_get", f"{_OLD}.states.Get"),
    **_names("nbflow.tasks.state:Delete", f"{_CORE}.state.Delete", "state_delete", f"{_OLD}.states.Delete"),
    **_storage("files:Concat", "Concat", "concat"),
    **_storage("files:Reverse", "Reverse", "reverse"),
    **_storage("files:Size", "Size", "file_size"),
    **_storage("files:Delete", "Delete", "delete_file"),
    **_names("nbflow.tasks.storage.files:Write", f"{_CORE}.storage.Write", "write_file"),
    **_storage(
        "files:PurgeCurrentExecutionFiles",
        "PurgeCurrentExecutionFiles",
        "purge_current_execution_files",
        f"{_OLD}.storages.PurgeExecution",
        f"{_CORE}.storage.PurgeExecution",
    ),
    **_storage("splitting:Split", "Split", "split"),
    **_storage("items:FilterItems", "FilterItems", "filter_items"),
    **_storage("items:DeduplicateItems", "DeduplicateItems", "deduplicate_items"),
    **_storage("local:LocalFiles", "LocalFiles", "local_files"),
    **_names("nbflow.tasks.namespace_files:UploadFiles", f"{_CORE}.namespace.UploadFiles", "upload_files"),
    **_names("nbflow.tasks.namespace_files:DownloadFiles", f"{_CORE}.namespace.DownloadFiles", "download_files"),
    **_names("nbflow.tasks.namespace_files:DeleteFiles", f"{_CORE}.namespace.DeleteFiles", "delete_files"),
    **_names("nbflow.tasks.execution:UnsetVariables", f"{_CORE}.execution.UnsetVariables", "unset_variables"),
    **_names(
        "nbflow.tasks.executions:Count", f"{_CORE}.execution.Count", "count_executions", f"{_OLD}.executions.Counts"
    ),
    **_names("nbflow.tasks.executions:Resume", f"{_CORE}.execution.Resume", "resume"),
    **_names("nbflow.tasks.executions:Fetch", f"{_CORE}.log.Fetch", "fetch_logs", f"{_OLD}.log.Fetch"),
    **_names(
        "nbflow.tasks.templating:TemplatedTask",
        f"{_CORE}.templating.TemplatedTask",
        "templated_task",
        f"{_OLD}.templating.TemplatedTask",
    ),
    **_names("nbflow.tasks.log:Log", f"{_CORE}.log.Log", "log", f"{_OLD}.log.Log"),
    **_names("nbflow.tasks.debug:Return", f"{_CORE}.debug.Return", "return", f"{_OLD}.debugs.Return"),
    **_names("nbflow.tasks.debug:Echo", f"{_CORE}.debug.Echo", "echo", f"{_OLD}.debugs.Echo"),
    **_names("nbflow.tasks.toggle:Toggle", f"{_CORE}.trigger.Toggle", "toggle", "io.kestra.core.tasks.trigger.Toggle"),
    **_names("nbflow.tasks.execution:Fail", f"{_CORE}.execution.Fail", "fail", f"{_OLD}.executions.Fail"),
    **_names("nbflow.tasks.execution:Assert", f"{_CORE}.execution.Assert", "assert"),
    **_names("nbflow.tasks.execution:Labels", f"{_CORE}.execution.Labels", "labels", f"{_OLD}.executions.Labels"),
    **_names("nbflow.tasks.execution:SetVariables", f"{_CORE}.execution.SetVariables", "set_variables"),
    **_names("nbflow.tasks.outputs:OutputValues", f"{_CORE}.output.OutputValues", "output_values"),
    **_names("nbflow.tasks.outputs:Expression", f"{_CORE}.condition.Expression", "expression"),
    **_flow("sequential:Sequential", "Sequential", "sequential"),
    **_flow("sequential:AllowFailure", "AllowFailure", "allow_failure"),
    **_flow("parallel:Parallel", "Parallel", "parallel"),
    **_flow("dag:Dag", "Dag", "dag"),
    **_flow("if_:If", "If", "if"),
    **_flow("switch:Switch", "Switch", "switch"),
    **_flow("for_each:ForEach", "ForEach", "foreach", "for_each", old=False),
    **_flow("loop:Loop", "Loop", "loop", old=False),
    **_flow("loop_until:LoopUntil", "LoopUntil", "loop_until", f"{_CORE}.flow.WaitFor", f"{_OLD}.flows.WaitFor"),
    **_flow("for_each_item:ForEachItem", "ForEachItem", "foreach_item", "for_each_item"),
    **_flow("pause:Pause", "Pause", "pause", f"{_OLD}.flows.Pause"),
    **_flow("working_directory:WorkingDirectory", "WorkingDirectory", "working_directory", f"{_OLD}.flows.Worker"),
    **_flow("for_each:EachSequential", "EachSequential", "each_sequential"),
    **_flow("for_each:EachParallel", "EachParallel", "each_parallel"),
    **_flow("subflow:Subflow", "Subflow", "subflow", f"{_OLD}.flows.Flow"),
    **_flow("template:Template", "Template", "flow_template"),
    **_flow("sleep:Sleep", "Sleep", "sleep", old=False),
    **_names(
        "nbflow.tasks.http.request:Request",
        f"{_CORE}.http.Request",
        "http",
        "request",
        f"{_OLD}.http.Request",
        "io.kestra.plugin.fs.http.Request",
    ),
    **_names(
        "nbflow.tasks.http.download:Download",
        f"{_CORE}.http.Download",
        "download",
        f"{_OLD}.http.Download",
        "io.kestra.plugin.fs.http.Download",
    ),
    **_names("nbflow.tasks.scripts.python:Script", f"{_SCRIPTS}.python.Script", "python", f"{_OLD}.scripts.Python"),
    **_names("nbflow.tasks.scripts.python:Commands", f"{_SCRIPTS}.python.Commands", "python_commands"),
    **_names("nbflow.tasks.scripts.shell:Script", f"{_SCRIPTS}.shell.Script", "shell_script", "bash"),
    **_names(
        "nbflow.tasks.scripts.shell:Commands",
        f"{_SCRIPTS}.shell.Commands",
        "shell",
        f"{_OLD}.scripts.Shell",
        f"{_OLD}.scripts.Bash",
    ),
    **_names("nbflow.tasks.scripts.node:Script", f"{_SCRIPTS}.node.Script", "node", f"{_OLD}.scripts.Node"),
    **_names("nbflow.tasks.scripts.node:Commands", f"{_SCRIPTS}.node.Commands", "node_commands"),
    **_names("nbflow.tasks.sql.duckdb:Query", "io.kestra.plugin.jdbc.duckdb.Query", "duckdb"),
    **_names("nbflow.tasks.sql.duckdb:Queries", "io.kestra.plugin.jdbc.duckdb.Queries", "duckdb_queries"),
}

_TRIGGERS: dict[str, str] = {
    **_names(
        "nbflow.triggers.schedule:Schedule",
        f"{_CORE}.trigger.Schedule",
        "schedule",
        "io.kestra.core.models.triggers.types.Schedule",
    ),
    **_names("nbflow.triggers.schedule:ScheduleOnDates", f"{_CORE}.trigger.ScheduleOnDates", "schedule_on_dates"),
    **_names(
        "nbflow.triggers.webhook:Webhook",
        f"{_CORE}.trigger.Webhook",
        "webhook",
        "io.kestra.core.models.triggers.types.Webhook",
    ),
    **_names("nbflow.triggers.flow:Flow", f"{_CORE}.trigger.Flow", "flow", "io.kestra.core.models.triggers.types.Flow"),
}

_CONDITIONS: dict[str, str] = {
    **_condition("dates", "DayWeek"),
    **_condition("dates", "DayWeekInMonth"),
    **_condition("dates", "Weekend"),
    **_condition("dates", "PublicHoliday"),
    **_condition("dates", "DateTimeBetween"),
    **_condition("dates", "TimeBetween"),
    **_condition("executions", "Execution"),
    **_condition("executions", "ExecutionFlow"),
    **_condition("executions", "ExecutionNamespace"),
    **_condition("executions", "ExecutionStatus"),
    **_condition("executions", "ExecutionLabels"),
    **_condition("executions", "ExecutionOutputs"),
    **_condition("executions", "HasRetryAttempt"),
    **_condition("logic", "Expression"),
    **_names(
        "nbflow.triggers.conditions.logic:Expression",
        "expression",
        "io.kestra.core.models.conditions.types.VariableCondition",
    ),
    **_condition("logic", "Not"),
    **_condition("logic", "Or"),
    **_names(
        "nbflow.triggers.conditions.flows:FlowCondition",
        f"{_CORE}.condition.FlowCondition",
        "io.kestra.core.models.conditions.types.FlowCondition",
    ),
    **_names(
        "nbflow.triggers.conditions.flows:FlowNamespaceCondition",
        f"{_CORE}.condition.FlowNamespaceCondition",
        "io.kestra.core.models.conditions.types.FlowNamespaceCondition",
    ),
    **_names(
        "nbflow.triggers.conditions.multiple:MultipleCondition",
        f"{_CORE}.condition.MultipleCondition",
        "io.kestra.core.models.conditions.types.MultipleCondition",
    ),
}

_RUNNERS: dict[str, str] = {
    **_names(
        "nbflow.runners.process:Process",
        f"{_CORE}.runner.Process",
        "process",
        f"{_SCRIPTS}.runner.process.Process",
        "io.kestra.core.models.tasks.runners.types.Process",
    ),
    **_names(
        "nbflow.runners.docker:Docker",
        f"{_SCRIPTS}.runner.docker.Docker",
        "docker",
        f"{_SCRIPTS}.runner.docker.DockerTaskRunner",
    ),
}

CATALOG = Catalog(tasks=_TASKS, triggers=_TRIGGERS, conditions=_CONDITIONS, runners=_RUNNERS)
