"""Which path is served by which handler, in both generations: with the tenant `main` in the path and without.

The first line that fits counts, so static words come before variables. A segment arrives percent-encoded and is
decoded after the match.
"""

from __future__ import annotations

import re

from nbflow.server import (
    backfills,
    bulk,
    execution_files,
    executions,
    flow_sets,
    flow_views,
    flows,
    instance,
    kv,
    logs,
    metrics,
    namespace_files,
    namespaces,
    openapi,
    outputs,
    plugins,
    secrets,
    sse,
    statistics,
    steering,
    tables,
    triggers,
    webhooks,
)
from nbflow.server.handler import ApiHandler

_ID = r"([^/]+)"
_EXECUTION = r"([0-9A-Za-z]{16,})"
"""How the id of an execution looks: `{execution}/{action}` is told apart from `{namespace}/{flow}` by it."""
_WAY = "(by-ids|by-query)"
_MOVES = "pause|resume|restart|replay|replay-with-inputs|force-run|unqueue|state"
_MANY = "restart|replay|resume|pause|force-run|change-status|unqueue"
_ACTIONS = f"{_MOVES}|kill|change-status|labels|eval|validate"

Route = tuple[str, type[ApiHandler]]

FLOWS: tuple[Route, ...] = (
    ("flows", flows.Flows),
    ("flows/validate", flows.ValidateFlows),
    ("flows/validate/(task|trigger)", flow_views.ValidatePart),
    ("flows/search", flows.FlowSearch),
    ("flows/source", flow_views.SourceSearch),
    ("flows/deprecated", flow_views.DeprecatedFlows),
    ("flows/distinct-namespaces", flows.DistinctNamespaces),
    ("flows/graph", flow_views.FlowGraph),
    ("flows/bulk", flow_sets.FlowsFromText),
    ("flows/import", flow_sets.ImportFlows),
    ("flows/export/by-query/csv", tables.FlowTable),
    (f"flows/export/{_WAY}", flow_sets.ExportFlows),
    (f"flows/(disable|enable)/{_WAY}", flow_sets.SwitchFlows),
    (f"flows/delete/{_WAY}", flow_sets.DeleteFlows),
    ("flows/(?:export|expressions)", instance.Unknown),
    (f"flows/{_ID}", flow_sets.FlowsOfNamespace),
    ("flows/(?:export|validate|disable|enable|delete|source)/[^/]+", instance.Unknown),
    (f"flows/{_ID}/{_ID}", flows.OneFlow),
    (f"flows/{_ID}/{_ID}/revisions", flows.FlowRevisions),
    (f"flows/{_ID}/{_ID}/graph", flow_views.FlowGraph),
    (f"flows/{_ID}/{_ID}/diff", flow_views.FlowDiff),
    (f"flows/{_ID}/{_ID}/dependencies", flow_views.FlowDependencies),
    (f"flows/{_ID}/{_ID}/tasks/{_ID}", flow_views.TaskOfFlow),
)

EXECUTIONS: tuple[Route, ...] = (
    ("executions", executions.Executions),
    ("executions/search", executions.ExecutionSearch),
    ("executions/latest", executions.Latest),
    ("executions/export/by-query/csv", tables.ExecutionTable),
    (f"executions/{_WAY}", bulk.BulkDelete),
    (f"executions/kill/{_WAY}", bulk.BulkKill),
    (f"executions/(labels)/{_WAY}", bulk.BulkLabels),
    (f"executions/({_MANY})/{_WAY}", bulk.Bulk),
    (f"executions/webhook/{_ID}/{_ID}/{_ID}(?:/(.+))?", webhooks.Webhook),
    ("executions/namespaces", executions.ExecutableNamespaces),
    (f"executions/namespaces/{_ID}/flows", executions.ExecutableNamespaces),
    (f"executions/namespaces/{_ID}/flows/{_ID}/average-duration", statistics.AverageDuration),
    (f"executions/flows/{_ID}/{_ID}", executions.FlowOfExecution),
    ("executions/(?:distinct-field-values|export)(?:/.*)?", instance.Unknown),
    (f"executions/{_ID}", executions.OneExecution),
    (f"executions/{_ID}/follow", sse.FollowExecution),
    (f"executions/{_ID}/(?:actions/)?kill", executions.Kill),
    (f"executions/{_ID}/file", execution_files.ExecutionFile),
    (f"executions/{_ID}/file/metas", execution_files.ExecutionFileMetas),
    (f"executions/{_ID}/file/preview", execution_files.ExecutionFilePreview),
    (f"executions/{_EXECUTION}/flow", executions.FlowOfExecution),
    (f"executions/{_EXECUTION}/graph", executions.ExecutionGraph),
    (f"executions/{_EXECUTION}/(?:actions/)?change-status", steering.ChangeStatus),
    (f"executions/{_EXECUTION}/(?:actions/)?labels", steering.SetLabels),
    (f"executions/{_EXECUTION}/(?:actions/)?eval(?:/{_ID})?", steering.Evaluate),
    (f"executions/{_EXECUTION}/(?:actions/)?resume/validate", steering.CheckAnswers),
    (f"executions/{_EXECUTION}/(?:actions/)?({_MOVES})", steering.Act),
    (f"executions/{_EXECUTION}/(?:{_ACTIONS})", instance.Unknown),
    (r"executions/[^/]+/(?:by-ids|by-query)", instance.Unknown),
    (f"executions/trigger/{_ID}/{_ID}", executions.Start),
    (f"executions/{_ID}/{_ID}", executions.Start),
    ("executions/[^/]+/actions/.*", instance.Unknown),
    (f"executions/{_ID}/{_ID}/validate", executions.CheckInputs),
    (f"executions/{_ID}/{_ID}/{_ID}", executions.OneExecution),
    ("taskruns/search", statistics.TaskRunSearch),
    ("stats/executions", statistics.StatesOfExecutions),
    ("stats/executions/daily", statistics.DailyExecutions),
)

RESULTS: tuple[Route, ...] = (
    (f"outputs/executions/{_ID}", outputs.ExecutionOutputs),
    (f"outputs/tasks/{_ID}", outputs.TaskOutputs),
    (f"outputs/tasks/{_ID}/{_ID}", outputs.TaskRunOutputs),
    (f"outputs/{_ID}", outputs.ExecutionOutputs),
    (f"outputs/{_ID}/{_ID}", outputs.TaskRunOutputs),
    ("logs/search", logs.LogSearch),
    (f"logs/{_ID}", logs.Logs),
    (f"logs/{_ID}/download", logs.LogDownload),
    (f"logs/{_ID}/follow", sse.FollowLogs),
    (f"metrics/names/{_ID}/{_ID}", metrics.MetricNames),
    (f"metrics/names/{_ID}/{_ID}/{_ID}", metrics.MetricNames),
    (f"metrics/tasks/{_ID}/{_ID}", metrics.MetricTasks),
    (f"metrics/aggregates/{_ID}/{_ID}/{_ID}", metrics.MetricAggregates),
    (f"metrics/aggregates/{_ID}/{_ID}/{_ID}/{_ID}", metrics.MetricAggregates),
    ("metrics/(?:names|tasks|aggregates)(?:/.*)?", instance.Unknown),
    (f"metrics/{_ID}", metrics.Metrics),
)

NAMESPACES: tuple[Route, ...] = (
    ("namespaces", namespaces.Namespaces),
    ("namespaces/search", namespaces.NamespaceSearch),
    ("namespaces/autocomplete", namespaces.NamespaceAutocomplete),
    (f"namespaces/{_ID}", namespaces.OneNamespace),
    (f"namespaces/{_ID}/dependencies", namespaces.NamespaceDependencies),
    (f"namespaces/{_ID}/inherited-variables", namespaces.InheritedVariables),
    (f"namespaces/{_ID}/files", namespace_files.Files),
    (f"namespaces/{_ID}/files/directory", namespace_files.Directory),
    (f"namespaces/{_ID}/files/stats", namespace_files.Stats),
    (f"namespaces/{_ID}/files/search", namespace_files.FileSearch),
    (f"namespaces/{_ID}/files/revisions", namespace_files.FileRevisions),
    (f"namespaces/{_ID}/files/export", namespace_files.FileExport),
    (f"namespaces/{_ID}/kv", kv.KvOfNamespace),
    (f"namespaces/{_ID}/kv/inheritance", kv.KvInherited),
    (f"namespaces/{_ID}/kv/{_ID}", kv.KvValueOfKey),
    ("kv", kv.KvSearch),
    ("secrets", secrets.SecretSearch),
    (f"namespaces/{_ID}/secrets", secrets.SecretSearch),
    (f"namespaces/{_ID}/secrets/{_ID}", secrets.OneSecret),
    (f"namespaces/{_ID}/inherited-secrets", secrets.InheritedSecrets),
)

TRIGGERS: tuple[Route, ...] = (
    ("triggers", triggers.Triggers),
    ("triggers/search", triggers.TriggerSearch),
    ("triggers/export/by-query/csv", triggers.TriggerTable),
    ("triggers/set-disabled", triggers.SwitchTrigger),
    ("triggers/set-disabled/(by-triggers|by-query)", triggers.SwitchTriggers),
    ("triggers/unlock/(by-triggers|by-query)", triggers.UnlockTriggers),
    ("triggers/delete/(by-triggers|by-query)", triggers.DeleteTriggers),
    ("triggers/backfill/create", backfills.CreateBackfill),
    ("triggers/backfill/(pause|unpause|delete)", backfills.MoveBackfill),
    ("triggers/backfill/(pause|unpause|delete)/(by-triggers|by-query)", backfills.MoveBackfills),
    ("triggers/(?:export|backfill)(?:/.*)?", instance.Unknown),
    (f"triggers/{_ID}/{_ID}", triggers.TriggersOfFlow),
    (f"triggers/{_ID}/{_ID}/{_ID}", triggers.OneTrigger),
    (f"triggers/{_ID}/{_ID}/{_ID}/(unlock|restart)", triggers.MoveTrigger),
    (f"triggers/{_ID}/{_ID}/{_ID}/next", triggers.NextDates),
    ("backfills", backfills.BackfillSearch),
    ("scheduler", triggers.Scheduler),
)

INSTANCE: tuple[Route, ...] = (
    ("plugins", plugins.Plugins),
    ("plugins/groups/subgroups", plugins.PluginGroups),
    ("plugins/icons(?:/groups)?", plugins.Icons),
    ("plugins/icons/.*", instance.Unknown),
    (f"plugins/inputs(?:/{_ID})?", plugins.InputTypes),
    ("plugins/schemas/(flow|task|trigger|dashboard)", plugins.Schemas),
    (f"plugins/{_ID}", plugins.PluginReference),
    ("openapi.json", openapi.OpenApi),
    ("configs", instance.Configs),
    ("me", instance.Me),
    ("audit", instance.Audit),
    ("pebble/(filters|functions|tests)", instance.Expressions),
    ("pebble/eval", instance.Render),
    ("concurrency-limit/search", instance.ConcurrencyLimits),
)

ROUTES: tuple[Route, ...] = (*FLOWS, *EXECUTIONS, *RESULTS, *NAMESPACES, *TRIGGERS, *INSTANCE)
"""Path below `api/v1/` or `api/v1/main/` → handler."""


def handlers(base_url: str) -> list[tuple[str, type[ApiHandler]]]:
    """The routes as Jupyter Server takes them."""
    base = re.escape(base_url if base_url.endswith("/") else f"{base_url}/")
    served = [(f"{base}api/v1/(?:main/)?{path}/?", handler) for path, handler in ROUTES]
    return [
        (f"{base}(?:api/)?health/?", instance.Health),
        *served,
        (f"{base}api/v1(?:/.*)?", instance.Unknown),
    ]
