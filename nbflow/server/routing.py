"""Which path is served by which handler, in both generations: with the tenant `main` in the path and without.

The first line that fits counts, so static words come before variables. A segment arrives percent-encoded and is
decoded after the match.
"""

from __future__ import annotations

import re

from nbflow.server import executions, flows, instance, logs, outputs, plugins, sse, steering
from nbflow.server.handler import ApiHandler

_ID = r"([^/]+)"
_ACTIONS = (
    "kill|pause|resume|restart|replay|replay-with-inputs|change-status|state|labels|eval|force-run|unqueue|validate"
)
_MOVES = "pause|resume|restart|replay|replay-with-inputs|force-run|state"
_ACTION = rf"[0-9A-Za-z]{{16,}}/(?:{_ACTIONS})"
"""`{execution}/{action}` where an execution is started by `{namespace}/{flow}`: told apart by the look of the id."""

Route = tuple[str, type[ApiHandler]]

ROUTES: tuple[Route, ...] = (
    ("flows", flows.Flows),
    ("flows/validate", flows.ValidateFlows),
    ("flows/search", flows.FlowSearch),
    ("flows/distinct-namespaces", flows.DistinctNamespaces),
    ("flows/(?:source|deprecated|export|bulk|graph|import|expressions)", instance.Unknown),
    (f"flows/{_ID}", flows.FlowsOfNamespace),
    ("flows/(?:export|validate|disable|enable|delete)/[^/]+", instance.Unknown),
    (f"flows/{_ID}/{_ID}", flows.OneFlow),
    (f"flows/{_ID}/{_ID}/revisions", flows.FlowRevisions),
    (f"flows/{_ID}/{_ID}/graph", flows.FlowGraph),
    ("executions", executions.Executions),
    ("executions/search", executions.ExecutionSearch),
    ("executions/by-ids", steering.Bulk),
    ("executions/(restart|replay|resume|pause|force-run|kill)/by-ids", steering.Bulk),
    ("executions/(?:latest|namespaces|by-query|distinct-field-values|export)", instance.Unknown),
    (f"executions/{_ID}", executions.OneExecution),
    (f"executions/{_ID}/follow", sse.FollowExecution),
    (f"executions/{_ID}/(?:actions/)?kill", executions.Kill),
    (f"executions/{_ID}/file", executions.ExecutionFile),
    (f"executions/{_ID}/file/(metas)", executions.ExecutionFile),
    (rf"executions/([0-9A-Za-z]{{16,}})/(?:actions/)?({_MOVES})", steering.Act),
    (f"executions/{_ACTION}", instance.Unknown),
    (r"executions/[^/]+/(?:by-ids|by-query)", instance.Unknown),
    (f"executions/trigger/{_ID}/{_ID}", executions.Start),
    (f"executions/{_ID}/{_ID}", executions.Start),
    ("executions/[^/]+/actions/.*", instance.Unknown),
    (f"executions/{_ID}/{_ID}/{_ID}", executions.OneExecution),
    (f"outputs/executions/{_ID}", outputs.ExecutionOutputs),
    (f"outputs/tasks/{_ID}", outputs.TaskOutputs),
    (f"outputs/tasks/{_ID}/{_ID}", outputs.TaskRunOutputs),
    (f"outputs/{_ID}", outputs.ExecutionOutputs),
    (f"outputs/{_ID}/{_ID}", outputs.TaskRunOutputs),
    ("logs/search", logs.LogSearch),
    (f"logs/{_ID}", logs.Logs),
    (f"logs/{_ID}/download", logs.LogDownload),
    (f"logs/{_ID}/follow", sse.FollowLogs),
    ("metrics/(?:names|tasks|aggregates)(?:/.*)?", instance.Unknown),
    (f"metrics/{_ID}", logs.Metrics),
    ("plugins", plugins.Plugins),
    ("plugins/groups/subgroups", plugins.PluginGroups),
    ("plugins/(?:icons|inputs)(?:/.*)?", instance.Unknown),
    ("plugins/schemas/(flow|task|trigger)", plugins.Schemas),
    (f"plugins/{_ID}", plugins.PluginReference),
    ("configs", instance.Configs),
)
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
