"""From the plan of a notebook's cells to the flow that runs them anywhere, as plain values for YAML."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence

from nbflow.tasks.cells.cell import cell_names, result_name
from nbflow.tasks.cells.notebook_cell import read_notebook_cell
from nbflow.tasks.cells.plan import Plan, PlannedTask
from nbflow.types import JsonValue

TYPES = {
    "python": "nbflow.cells.Python",
    "sql": "nbflow.cells.Sql",
    "shell": "nbflow.cells.Shell",
    "markdown": "nbflow.cells.Markdown",
    "notebook": "nbflow.notebook.Run",
}
"""What `--type` may say, and the task it makes."""

_DAG = "io.kestra.plugin.core.flow.Dag"
_PLAIN_ID = re.compile(r"[A-Za-z_]\w*")


def flow_document(
    plan: Plan,
    flow_id: str,
    namespace: str,
    *,
    directory: str,
    description: str = "",
    inputs: Sequence[Mapping[str, JsonValue]] = (),
) -> dict[str, JsonValue]:
    """The flow of a plan. Relative paths in its cells start from `directory`."""
    items = [_item(task) for task in plan.tasks.values()]
    dag: dict[str, JsonValue] = {"id": _free_id(plan), "type": _DAG, "tasks": list(items)}
    document: dict[str, JsonValue] = {"id": flow_id, "namespace": namespace}
    if description:
        document["description"] = description
    if inputs:
        document["inputs"] = [dict(one) for one in inputs]
    if any(planned.cell.type != "markdown" for planned in plan.tasks.values()):
        document["variables"] = {"directory": directory}
    return {**document, "tasks": [dag]}


def _item(planned: PlannedTask) -> dict[str, JsonValue]:
    item: dict[str, JsonValue] = {"task": _task(planned)}
    if planned.needs:
        item["dependsOn"] = list(planned.needs)
    return item


def _task(planned: PlannedTask) -> dict[str, JsonValue]:
    cell = planned.cell
    task: dict[str, JsonValue] = {"id": cell.id, "type": TYPES[cell.type], **cell.properties}
    values = _values(planned)
    if cell.type == "notebook":
        return _notebook(task, cell.code, values)
    if cell.type != "markdown":
        task["directory"] = "{{ vars.directory }}"
    if values:
        task["in"] = values
    if cell.type in ("python", "sql"):
        if planned.preamble:
            task["preamble"] = _literal(planned.preamble)
        if planned.gives:
            task["out"] = list(planned.gives)
        if cell.type == "sql" and result_name(cell) != re.sub(r"\W", "_", cell.id):
            task["result"] = result_name(cell)
    code = f"{cell.code.rstrip()}\n" if cell.code.strip() else "\n"
    task["script"] = code if cell.type == "markdown" else _literal(code)
    return task


def _notebook(task: dict[str, JsonValue], code: str, values: dict[str, JsonValue]) -> dict[str, JsonValue]:
    path, properties = read_notebook_cell(code)
    is_elsewhere = path.startswith("/") or "://" in path or "{{" in path
    task.update({"path": path if is_elsewhere else f"{{{{ vars.directory }}}}/{path}", **properties})
    given = properties.get("parameters")
    parameters = {**(given if isinstance(given, dict) else {}), **values}
    if parameters:
        task["parameters"] = parameters
    return task


def _values(planned: PlannedTask) -> dict[str, JsonValue]:
    values: dict[str, JsonValue] = {name: f"{{{{ inputs.{name} }}}}" for name in planned.inputs}
    for name, giver in planned.takes.items():
        owner = f"outputs.{giver}" if _PLAIN_ID.fullmatch(giver) else f"outputs['{giver}']"
        values[name] = f"{{{{ {owner}.vars.{name} }}}}"
    if planned.cell.type not in ("python", "sql") and planned.preamble:
        wanted = cell_names(planned.cell).reads
        values.update({name: value for name, value in _constants(planned.preamble).items() if name in wanted})
    return values


def _constants(preamble: str) -> dict[str, JsonValue]:
    """What a preamble sets to values that stand there as they are."""
    found: dict[str, JsonValue] = {}
    for node in ast.parse(preamble).body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            try:
                value: JsonValue = json.loads(json.dumps(ast.literal_eval(node.value)))
            except (ValueError, TypeError):
                continue
            found[node.targets[0].id] = _literal(value) if isinstance(value, str) else value
    return found


def _literal(text: str) -> str:
    """A text that is no template, though it may look like one."""
    if not any(opener in text for opener in ("{{", "{%", "{#")):
        return text
    end = "{% endverbatim %}"
    return f"{{% verbatim %}}{text}{end}"


def _free_id(plan: Plan) -> str:
    names = ("cells", "notebook", "dag")
    return next((name for name in names if name not in plan.tasks), f"cells_{len(plan.tasks)}")
