"""The sub-commands of `%flow` about the notebook's own flow: new, tasks, forget, export; and run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path

from nbflow.engine import Execution
from nbflow.errors import FlowValidationError
from nbflow.magics.answers import one_word, say, table
from nbflow.magics.arguments import Arguments
from nbflow.magics.cell_record import notebook_path, saved_ids
from nbflow.magics.errors import FlowCellError
from nbflow.magics.running import run_flow
from nbflow.magics.session import Session, split_uid
from nbflow.magics.task_views import problems_bundle, task_row
from nbflow.nearest import did_you_mean
from nbflow.types import IDENTIFIER, NAMESPACE, JsonValue
from nbflow.widgets.output import publish, static_bundle
from nbflow.widgets.problems import problems_html, problems_text

_NEW = "new NAME [--namespace NAMESPACE] [input=value ...]"
_KINDS = ("STRING", "INT", "FLOAT", "BOOL", "DATE", "DATETIME", "TIME", "DURATION", "JSON", "URI", "EMAIL", "FILE")
_LOOKS = {
    "BOOL": re.compile(r"true|false", re.I),
    "INT": re.compile(r"[-+]?\d+"),
    "FLOAT": re.compile(r"[-+]?(\d+\.\d*|\.\d+|\d+)(e[-+]?\d+)?", re.I),
    "DATE": re.compile(r"\d{4}-\d\d-\d\d"),
    "JSON": re.compile(r"[\[{].*", re.S),
}
"""What an input is, by how its value looks."""


def new(session: Session, arguments: Arguments) -> None:
    """Name the notebook's flow, and declare its inputs: each becomes a name of the kernel with its value."""
    name = one_word(arguments, _NEW)
    namespace = arguments.options.get("namespace", "")
    if not namespace and "." in name:
        namespace, name = split_uid(name)
    if not IDENTIFIER.match(name):
        raise FlowCellError(f"`{name}` is no name of a flow", "use letters, digits, - and _")
    if namespace and not re.match(NAMESPACE, namespace):
        raise FlowCellError(f"`{namespace}` is no namespace", "such as company.team")
    declared = [_declared(key, value) for key, value in arguments.inputs.items()]
    flow = session.notebook
    flow.id, flow.namespace = name, namespace
    flow.description = arguments.options.get("description", "")
    flow.inputs = [one for one, _ in declared]
    session.variables.update({str(one["id"]): value for one, value in declared})
    count = len(flow.record.tasks)
    inputs = "".join(f"  input {one['id']}: {one['type']} = {value}\n" for one, value in declared)
    told = (
        f"{count} task{'' if count == 1 else 's'}" if count else "no tasks yet: write %%task NAME above a cell's code"
    )
    say(f"flow {'.'.join(flow.named(session.shell))}, {told}\n{inputs}".rstrip())


def tasks(session: Session, _: Arguments) -> None:
    """List the tasks, in the order of the notebook, and what is wrong with them."""
    flow = session.notebook
    planned = flow.plan(session.shell)
    if not planned.tasks:
        say("The notebook has no tasks yet: write %%task NAME above the code of a cell and run it.")
        return
    ids = saved_ids(notebook_path(session.shell))
    rows = []
    for name, task in planned.tasks.items():
        ran = flow.record.tasks[name]
        notes = [f"In[{ran.number}]"]
        if ran.failed:
            notes.append("failed here")
        if ids and ran.cell_id and ran.cell_id not in ids:
            notes.append("not in the saved notebook")
        rows.append([*task_row(task), ", ".join(notes)])
    table(["Task", "Type", "Needs", "Takes", "Gives", "Cell"], rows)
    if planned.problems:
        publish(problems_bundle(planned.problems))


def forget(session: Session, arguments: Arguments) -> None:
    """Take tasks out of the flow; their cells stay as they are."""
    record = session.notebook.record
    names = list(record.tasks) if arguments.has("all") else arguments.words
    if not names:
        raise FlowCellError("something is missing", "%flow forget NAME ...")
    for name in names:
        if not record.forget(name):
            hint = did_you_mean(name, record.tasks) or "`%flow tasks` shows those there are"
            raise FlowCellError(f"there is no task `{name}`", hint)
    say(f"Forgotten: {', '.join(names)}. Running the cell brings a task back.")


def export(session: Session, arguments: Arguments) -> None:
    """Show the flow as YAML, or write it into a file."""
    text = _yaml(session, ".")
    if not arguments.words:
        publish(static_bundle(f"<pre>{escape(text)}</pre>", text))
        return
    path = Path(one_word(arguments, "export [FILE]")).expanduser()
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as cause:
        raise FlowCellError(f"{path} cannot be written: {cause.strerror}") from None
    say(f"Written to {path}; it runs anywhere: nbflow run {path}")


def run(session: Session, arguments: Arguments) -> Execution:
    """Run a deployed flow; without a name, or with its own, that of the notebook's tasks."""
    own = session.notebook.named(session.shell)
    if arguments.words and arguments.words[0] not in (own[1], ".".join(own)):
        return run_flow(session, *split_uid(one_word(arguments, "run [NAMESPACE.ID] [key=value ...]")), arguments)
    if arguments.words and not session.notebook.record.tasks:
        return run_flow(session, *split_uid(arguments.words[0]), arguments)
    text = _yaml(session, str(Path.cwd()))
    try:
        flow = session.engine.deploy(text, strict=True)
    except FlowValidationError as invalid:
        publish(static_bundle(problems_html(invalid.problems, text), problems_text(invalid.problems, text)))
        raise FlowCellError("the flow of the tasks is not valid; nothing was run") from None
    for one in session.notebook.inputs:
        if one["type"] == "FILE" and str(one["id"]) in session.variables:  # a file has no default
            arguments.inputs.setdefault(str(one["id"]), session.variables[str(one["id"])])
    return run_flow(session, flow.namespace, flow.id, arguments)


def _yaml(session: Session, directory: str) -> str:
    planned = session.notebook.plan(session.shell)
    if planned.problems and planned.problems != planned.errors[:1]:  # a single one is the error of the cell
        publish(problems_bundle(planned.problems))
    text: str = session.notebook.yaml(planned, session.shell, directory)
    return text


def _declared(key: str, given: object) -> tuple[Mapping[str, JsonValue], object]:
    """An input, and the value that the name has in the kernel: `rows=5`, `day:DATE=2024-01-31`."""
    name, _, kind = key.partition(":")
    kind = kind.upper()
    if not name.isidentifier():
        raise FlowCellError(f"`{name}` is no name of an input", "cells read it as a plain name")
    if kind and kind not in _KINDS:
        hint = did_you_mean(kind, _KINDS) or f"there are {', '.join(_KINDS)}"
        raise FlowCellError(f"there is no type of input `{kind}`", hint)
    text = given if isinstance(given, str) else json.dumps(given)
    kind = kind or next((kind for kind, looks in _LOOKS.items() if looks.fullmatch(text)), "STRING")
    try:
        value = _READERS[kind](text) if kind in _READERS else text
    except ValueError:
        raise FlowCellError(f"the input `{name}` is {kind}, and {text!r} is none") from None
    declared: dict[str, JsonValue] = {"id": name, "type": kind}
    if kind != "FILE":
        declared["defaults"] = text if kind == "JSON" else value
    return declared, value


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


_READERS: Mapping[str, Callable[[str], JsonValue]] = {"INT": int, "FLOAT": float, "BOOL": _truth, "JSON": json.loads}
