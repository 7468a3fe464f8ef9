"""What notebook tasks leave behind, and how it is opened: executed notebooks, and kernels that were kept.

The command stands in the text to be copied, selected by one click; JupyterLab's extension makes links of the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from nbflow.model.execution import Execution, TaskRun
from nbflow.types import JsonValue
from nbflow.widgets.gantt import label

_NOTEBOOK = re.compile(r"(kestra|nbflow):///\S+\.ipynb")
_KERNEL = re.compile(r"k[0-9a-f]{6,32}")
_MOST = 20
_DEEPEST = 5


@dataclass(frozen=True, slots=True)
class Leftover:
    """A notebook (`uri`) or a kernel (no `uri`) of a task, and the command that opens it."""

    task: str
    command: str
    uri: str = ""


def leftovers_of(execution: Execution, task_runs: Sequence[TaskRun]) -> list[Leftover]:
    """The kernels that were kept, then the executed notebooks; at most 20."""
    kernels, notebooks = [], []
    for run in task_runs:
        kernel = run.outputs.get("kernel")
        if isinstance(kernel, str) and _KERNEL.fullmatch(kernel) and run.state.is_failure:
            kernels.append(Leftover(label(run), f"%flow attach {kernel}"))
        main = run.outputs.get("notebook")
        for uri in _notebooks(dict(run.outputs)):
            command = f"%flow last {execution.id}" if uri == main else ""
            notebooks.append(Leftover(label(run), command, uri))
    return [*kernels, *notebooks][:_MOST]


def leftovers_html(execution: Execution, leftovers: Sequence[Leftover]) -> str:
    """A line for each."""
    lines = []
    for one in leftovers:
        task = f"<b>{escape(one.task)}</b>"
        if not one.uri:
            said = f"{task} failed and kept its kernel: {_command(one.command)} opens it"
        else:
            place = f'data-nbflow-notebook="{escape(one.uri)}" data-nbflow-execution="{escape(execution.id)}"'
            name = escape(one.uri.rpartition("/")[2])
            link = f'<a class="nbflow-open" {place} title="Open the executed notebook">{name}</a>'
            said = f"{task}: executed notebook {link}" + (f" · {_command(one.command)}" if one.command else "")
        lines.append(f'<div style="margin:2px 0">{said}</div>')
    return "".join(lines)


def leftovers_text(leftovers: Sequence[Leftover]) -> list[str]:
    """The same as lines of text, of those that a command opens."""
    return [
        f"{one.task}: the executed notebook: {one.command}"
        if one.uri
        else f"{one.task} failed and kept its kernel: {one.command}"
        for one in leftovers
        if one.command
    ]


def _command(text: str) -> str:
    style = "user-select:all;cursor:copy"
    return f'<code style="{style}" data-nbflow-copy="{escape(text)}" title="Click and copy">{escape(text)}</code>'


def _notebooks(value: JsonValue, depth: int = 0) -> Iterator[str]:
    """The URIs of notebooks in what a task put out."""
    if isinstance(value, str):
        if _NOTEBOOK.fullmatch(value):
            yield value
    elif depth < _DEEPEST and isinstance(value, dict | list):
        for item in list(value.values() if isinstance(value, dict) else value)[:100]:
            yield from _notebooks(item, depth + 1)
