"""The tasks that Kestra has in itself: flow control, executions, storage, key-value pairs, states, logs."""

from __future__ import annotations

from nbflow.builtin.naming import CORE, OLD, named


def _flow(target: str, name: str, *aliases: str, old: bool = True) -> dict[str, str]:
    """A flowable task: `name` was in `io.kestra.core.tasks.flows` before."""
    older = (f"io.kestra.core.tasks.flows.{name}",) if old else ()
    return named(f"nbflow.tasks.flow.{target}", f"io.kestra.plugin.core.flow.{name}", *older, *aliases)


def _storage(target: str, name: str, *aliases: str) -> dict[str, str]:
    """A task on stored files: `name` was in `io.kestra.core.tasks.storages` before."""
    return named(
        f"nbflow.tasks.storage.{target}",
        f"io.kestra.plugin.core.storage.{name}",
        f"io.kestra.core.tasks.storages.{name}",
        *aliases,
    )


CORE_TASKS: dict[str, str] = {
    **named(
        "nbflow.tasks.purging:PurgeExecutions",
        f"{CORE}.execution.PurgeExecutions",
        "purge_executions",
        f"{CORE}.execution.Purge",
        f"{CORE}.storage.Purge",
        f"{OLD}.storages.Purge",
    ),
    **named("nbflow.tasks.purging:PurgeLogs", f"{CORE}.log.PurgeLogs", "purge_logs"),
    **named("nbflow.tasks.purging:PurgeKV", f"{CORE}.kv.PurgeKV", "purge_kv"),
    **named("nbflow.tasks.kv:Set", f"{CORE}.kv.Set", "kv_set"),
    **named("nbflow.tasks.kv:Get", f"{CORE}.kv.Get", "kv_get"),
    **named("nbflow.tasks.kv:Delete", f"{CORE}.kv.Delete", "kv_delete"),
    **named("nbflow.tasks.kv:GetKeys", f"{CORE}.kv.GetKeys", "kv_keys"),
    **named("nbflow.tasks.state:Set", f"{CORE}.state.Set", "state_set", f"{OLD}.states.Set"),
    **named("nbflow.tasks.state:Get", f"{CORE}.state.Get", "state_get", f"{OLD}.states.Get"),
    **named("nbflow.tasks.state:Delete", f"{CORE}.state.Delete", "state_delete", f"{OLD}.states.Delete"),
    **_storage("files:Concat", "Concat", "concat"),
    **_storage("files:Reverse", "Reverse", "reverse"),
    **_storage("files:Size", "Size", "file_size"),
    **_storage("files:Delete", "Delete", "delete_file"),
    **named("nbflow.tasks.storage.files:Write", f"{CORE}.storage.Write", "write_file"),
    **_storage(
        "files:PurgeCurrentExecutionFiles",
        "PurgeCurrentExecutionFiles",
        "purge_current_execution_files",
        f"{OLD}.storages.PurgeExecution",
        f"{CORE}.storage.PurgeExecution",
    ),
    **_storage("splitting:Split", "Split", "split"),
    **_storage("items:FilterItems", "FilterItems", "filter_items"),
    **_storage("items:DeduplicateItems", "DeduplicateItems", "deduplicate_items"),
    **named("nbflow.tasks.storage.document:Json", f"{CORE}.types.Json", "read_json"),
    **_storage("local:LocalFiles", "LocalFiles", "local_files"),
    **named("nbflow.tasks.namespace_files:UploadFiles", f"{CORE}.namespace.UploadFiles", "upload_files"),
    **named("nbflow.tasks.namespace_files:DownloadFiles", f"{CORE}.namespace.DownloadFiles", "download_files"),
    **named("nbflow.tasks.namespace_files:DeleteFiles", f"{CORE}.namespace.DeleteFiles", "delete_files"),
    **named("nbflow.tasks.execution:UnsetVariables", f"{CORE}.execution.UnsetVariables", "unset_variables"),
    **named(
        "nbflow.tasks.executions:Count",
        f"{CORE}.execution.Count",
        "count_executions",
        f"{CORE}.execution.Counts",
        f"{OLD}.executions.Counts",
    ),
    **named("nbflow.tasks.executions:Resume", f"{CORE}.execution.Resume", "resume"),
    **named("nbflow.tasks.executions:Fetch", f"{CORE}.log.Fetch", "fetch_logs", f"{OLD}.log.Fetch"),
    **named(
        "nbflow.tasks.templating:TemplatedTask",
        f"{CORE}.templating.TemplatedTask",
        "templated_task",
        f"{OLD}.templating.TemplatedTask",
    ),
    **named("nbflow.tasks.log:Log", f"{CORE}.log.Log", "log", f"{OLD}.log.Log"),
    **named("nbflow.tasks.debug:Return", f"{CORE}.debug.Return", "return", f"{OLD}.debugs.Return"),
    **named("nbflow.tasks.debug:Echo", f"{CORE}.debug.Echo", "echo", f"{OLD}.debugs.Echo"),
    **named("nbflow.tasks.toggle:Toggle", f"{CORE}.trigger.Toggle", "toggle", "io.kestra.core.tasks.trigger.Toggle"),
    **named("nbflow.tasks.execution:Fail", f"{CORE}.execution.Fail", "fail", f"{OLD}.executions.Fail"),
    **named(
        "nbflow.tasks.kestra:Query",
        "io.kestra.plugin.kestra.executions.Query",
        "query_executions",
        "io.kestra.plugin.kestra.executions.Search",
    ),
    **named("nbflow.tasks.kestra:Kill", "io.kestra.plugin.kestra.executions.Kill", "kill"),
    **named("nbflow.tasks.kestra:Resume", "io.kestra.plugin.kestra.executions.Resume", "resume_execution"),
    **named("nbflow.tasks.kestra:ListFlows", "io.kestra.plugin.kestra.flows.List", "list_flows"),
    **named("nbflow.tasks.execution:Exit", f"{CORE}.execution.Exit", "exit"),
    **named("nbflow.tasks.execution:Assert", f"{CORE}.execution.Assert", "assert"),
    **named("nbflow.tasks.execution:Labels", f"{CORE}.execution.Labels", "labels", f"{OLD}.executions.Labels"),
    **named("nbflow.tasks.execution:SetVariables", f"{CORE}.execution.SetVariables", "set_variables"),
    **named("nbflow.tasks.outputs:OutputValues", f"{CORE}.output.OutputValues", "output_values"),
    **named("nbflow.tasks.outputs:Expression", f"{CORE}.condition.Expression", "expression"),
    **_flow("sequential:Sequential", "Sequential", "sequential"),
    **_flow("sequential:AllowFailure", "AllowFailure", "allow_failure"),
    **_flow("parallel:Parallel", "Parallel", "parallel"),
    **_flow("dag:Dag", "Dag", "dag"),
    **_flow("if_:If", "If", "if"),
    **_flow("switch:Switch", "Switch", "switch"),
    **_flow("for_each:ForEach", "ForEach", "foreach", "for_each", old=False),
    **_flow("loop:Loop", "Loop", "loop", old=False),
    **_flow("loop_until:LoopUntil", "LoopUntil", "loop_until", f"{CORE}.flow.WaitFor", f"{OLD}.flows.WaitFor"),
    **_flow("for_each_item:ForEachItem", "ForEachItem", "foreach_item", "for_each_item"),
    **_flow("pause:Pause", "Pause", "pause", f"{OLD}.flows.Pause"),
    **_flow("working_directory:WorkingDirectory", "WorkingDirectory", "working_directory", f"{OLD}.flows.Worker"),
    **_flow("for_each:EachSequential", "EachSequential", "each_sequential"),
    **_flow("for_each:EachParallel", "EachParallel", "each_parallel"),
    **_flow("subflow:Subflow", "Subflow", "subflow", f"{OLD}.flows.Flow"),
    **_flow("template:Template", "Template", "flow_template"),
    **_flow("sleep:Sleep", "Sleep", "sleep", old=False),
}
"""Name → class."""
