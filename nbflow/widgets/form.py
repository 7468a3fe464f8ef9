"""A form for the inputs of a flow: a fitting control for each, and what is wrong beside the field it is about."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from nbflow.errors import Problem
from nbflow.model.input_base import Input
from nbflow.widgets.fields import make_field

_RED = "#e53935"


class InputForm:
    """The form; `widget` is the ipywidgets box to show. What is typed stays, whatever is wrong with it."""

    def __init__(self, inputs: Sequence[Input]) -> None:
        import ipywidgets

        self.controls: dict[str, Any] = {}
        self._readers = {}
        self._messages: dict[str, Any] = {}
        rows = []
        for declared in inputs:
            control, read = make_field(declared)
            message = ipywidgets.HTML()
            self.controls[declared.id] = control
            self._readers[declared.id] = read
            self._messages[declared.id] = message
            head = ipywidgets.HTML(_head(declared), layout=ipywidgets.Layout(width="30%", min_width="120px"))
            rows.append(ipywidgets.HBox([head, ipywidgets.VBox([control, message])]))
        self.rest = ipywidgets.HTML()
        self.widget = ipywidgets.VBox([*rows, self.rest])

    def values(self) -> dict[str, object]:
        """What is given, by input id; inputs left empty are left out."""
        found = {name: read() for name, read in self._readers.items()}
        return {name: value for name, value in found.items() if value is not None}

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Put each problem beside its field, and those of no field below; no problems clear the form of them."""
        by_field: dict[str, list[str]] = {}
        for problem in problems:
            name = problem.path.removeprefix("inputs.")
            mend = f" <i>{escape(problem.hint)}</i>" if problem.hint else ""
            at = name if name in self._messages else ""
            by_field.setdefault(at, []).append(f'<span style="color:{_RED}">{escape(problem.message)}</span>{mend}')
        for name, message in self._messages.items():
            message.value = "<br>".join(by_field.get(name, []))
        self.rest.value = "<br>".join(by_field.get("", []))


def inputs_html(inputs: Sequence[Input]) -> str:
    """The inputs as a table, for where there is no form."""
    if not inputs:
        return ""
    rows = "".join(
        f"<tr><td>{_head(declared)}</td><td>{escape(declared.type)}</td><td>{escape(_default(declared))}</td></tr>"
        for declared in inputs
    )
    return f"<table><thead><tr><th>Input</th><th>Type</th><th>Default</th></tr></thead><tbody>{rows}</tbody></table>"


def inputs_text(inputs: Sequence[Input]) -> str:
    """The inputs as lines of text."""
    lines = []
    for declared in inputs:
        default = _default(declared)
        optional = "" if declared.required else ", optional"
        says = f" = {default}" if default else ""
        lines.append(f"  {declared.id} ({declared.type}{optional}){says}")
    return "\n".join(lines)


def _head(declared: Input) -> str:
    mark = f' <span style="color:{_RED}" title="required">*</span>' if _must_be_given(declared) else ""
    text = f"<br><small>{escape(declared.description)}</small>" if declared.description else ""
    return f"<b>{escape(declared.display_name or declared.id)}</b>{mark}{text}"


def _must_be_given(declared: Input) -> bool:
    return declared.required and declared.default() is None


def _default(declared: Input) -> str:
    value = declared.default()
    if value is None:
        return ""
    return "******" if declared.type == "SECRET" else str(getattr(value, "source_text", value))
