"""What Tab offers: sub-commands, flows, executions, inputs and options on a line; keys and types in a cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from IPython.core.completer import SimpleCompletion

from nbflow.errors import NbflowError
from nbflow.magics.arguments import split
from nbflow.magics.backfill_commands import BACKFILL_VERBS
from nbflow.magics.cell import CELL_FLAGS, CELL_VALUED
from nbflow.magics.commands import COMMANDS
from nbflow.magics.errors import FlowCellError
from nbflow.magics.session import Session, split_uid
from nbflow.magics.task_line import KINDS, TASK_FLAGS, TASK_VALUED
from nbflow.magics.trigger_commands import TRIGGER_VERBS
from nbflow.magics.yaml_completion import complete_yaml
from nbflow.model.flow import Flow
from nbflow.model.input_choices import ChoiceInput
from nbflow.plugins import registry
from nbflow.source import load_flow

_MOST = 100
_VALUE_OPTIONS = ("input", "label")


def complete(session: Session, context: Any) -> dict[str, Any]:  # Any: IPython's CompletionContext and its result
    """Completions at the cursor; they replace what IPython would offer, for it takes YAML to be Python."""
    text = context.full_text.lstrip("\n ")
    before = context.text_until_cursor
    if text.startswith("%%flow"):
        if context.cursor_line > 0:
            lines = context.full_text.split("\n")
            found, fragment = complete_yaml(lines[1:], context.cursor_line - 1, context.cursor_position)
            return _result(found, fragment)
        cell = context.full_text.partition("\n")[2]
        return _offer(before.removeprefix("%%flow"), lambda words, fragment: _in_cell_line(cell, fragment))
    if text.startswith("%%task"):
        if context.cursor_line > 0:
            return {"completions": [], "suppress": False}
        return _offer(before.removeprefix("%%task"), lambda words, fragment: _in_task_line(session, words, fragment))
    _, found_magic, line = before.rpartition("%flow")
    if not found_magic or (line and not line[0].isspace()):
        return {"completions": [], "suppress": False}
    return _offer(line, lambda words, fragment: _in_line(session, words, fragment))


def _offer(line: str, candidates: Callable[[list[str], str], Iterable[str]]) -> dict[str, Any]:
    """Complete the last token of a line."""
    fragment = "" if not line or line[-1].isspace() else line.split()[-1]
    try:
        words = split(line[: len(line) - len(fragment)])
    except FlowCellError:  # within an open quote there is nothing to offer
        return {"completions": [], "suppress": False}
    try:
        offered = list(candidates(words, fragment))
    except (NbflowError, FlowCellError):  # a home that cannot be opened, a flow that is gone: no completions
        offered = []
    return _result([name for name in dict.fromkeys(offered) if name.startswith(fragment)], fragment)


def _result(found: Iterable[str], fragment: str) -> dict[str, Any]:
    completions = [SimpleCompletion(text=name, type="keyword") for name in list(found)[:_MOST]]
    return {"completions": completions, "suppress": True, "matched_fragment": fragment, "ordered": True}


def _in_line(session: Session, words: list[str], fragment: str) -> Iterable[str]:
    if not words:
        return [f"{name} " for name in COMMANDS if name != fragment] or [fragment]
    command = COMMANDS.get(words[0])
    if command is None:
        return []
    if words[0] == "help":
        return COMMANDS
    given = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    if fragment.startswith("-"):
        labels = _VALUE_OPTIONS if words[0] == "run" else ()
        return _options(command.flags, (*command.valued, *labels))
    if not given:
        return _first_words(session, command.takes, fragment)
    if words[0] == "trigger" and len(given) == 1:
        return [".".join(row.state.key) for row in session.engine.triggers()]
    if words[0] == "backfill" and len(given) == 1 and given[0] in BACKFILL_VERBS:
        return [one.id for one in session.engine.backfills(going_on=given[0] != "show")]
    if command.takes == "flow" and words[0] == "run":
        flow: Flow = session.engine.flow(*split_uid(given[0]))
        return _inputs(flow, fragment)
    return []


def _in_cell_line(cell: str, fragment: str) -> Iterable[str]:
    if fragment.startswith("-"):
        return _options(CELL_FLAGS, (*CELL_VALUED, *_VALUE_OPTIONS))
    try:
        flow = load_flow(cell).flow
    except NbflowError:
        return []
    return _inputs(flow, fragment)


def _in_task_line(session: Session, words: list[str], fragment: str) -> Iterable[str]:
    if fragment.startswith("-"):
        return _options(TASK_FLAGS, TASK_VALUED)
    if words and words[-1] == "--type":
        return KINDS
    return session.record.tasks if not words or words[-1] in ("--needs", "--in") else ()


def _first_words(session: Session, takes: str, fragment: str) -> Iterable[str]:
    if takes == "flow":
        return [f"{stored.namespace}.{stored.id}" for stored in session.engine.store.flows.list()]
    if takes == "trigger":
        return TRIGGER_VERBS
    if takes == "task":
        return session.record.tasks
    if takes == "namespace":
        return list(session.engine.store.flows.namespaces())
    if takes == "execution":
        return [execution.id for execution in session.engine.executions(limit=_MOST)]
    if takes == "type":
        return [name for kind in ("task", "trigger", "condition", "runner") for name in registry().names(kind)]
    if takes == "file":
        from glob import glob

        return sorted(found for end in ("yml", "yaml") for found in glob(f"{fragment}*.{end}"))
    return []


def _inputs(flow: Flow, fragment: str) -> Iterable[str]:
    """`name=`; behind it, the values that the input offers."""
    name, equals, _ = fragment.partition("=")
    if not equals:
        return [f"{declared.id}=" for declared in flow.inputs]
    declared = next((declared for declared in flow.inputs if declared.id == name), None)
    if isinstance(declared, ChoiceInput):
        return [f"{name}={choice}" for choice in declared.choices]
    if declared is not None and declared.type in ("BOOL", "BOOLEAN"):
        return [f"{name}=true", f"{name}=false"]
    return []


def _options(flags: Iterable[str], valued: Iterable[str]) -> list[str]:
    return [*(f"--{name}" for name in flags), *(f"--{name}" for name in valued)]
