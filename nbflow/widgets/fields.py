"""The control for each type of input: how it is made, what value it holds, what was there at the start."""

from __future__ import annotations

import json
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from nbflow.model.dynamic import holds_expression
from nbflow.model.input_base import Input
from nbflow.model.input_choices import ChoiceInput, ValueOption
from nbflow.model.input_types import MultiselectInput
from nbflow.types import JsonValue

Control = Any  # an ipywidgets widget; the library has no types
Read = Callable[[], object]

_HINTS = {
    "INT": "a whole number",
    "FLOAT": "a number",
    "DURATION": "PT5M, P1D, …",
    "URI": "https://…",
    "EMAIL": "name@example.com",
    "JSON": '{"key": "value"}',
    "YAML": "key: value",
    "ARRAY": '["one", "two"]',
}


def make_field(declared: Input) -> tuple[Control, Read]:
    """A control for an input, and what reads it: None when nothing is given, so that the default counts."""
    start = declared.prefill if declared.prefill is not None else declared.default()
    if holds_expression(start):
        start = None  # the engine renders it at the start of an execution
    try:
        return _MAKERS.get(declared.type, _text)(declared, start)
    except ValueError:  # a `prefill` that is no value of its type: show it, for the user to mend
        return _text(declared, start)


def _text(declared: Input, start: JsonValue) -> tuple[Control, Read]:
    import ipywidgets

    control = ipywidgets.Text(value=_written(start), placeholder=_placeholder(declared))
    return control, _reads_text(control, declared)


def _password(declared: Input, start: JsonValue) -> tuple[Control, Read]:
    import ipywidgets

    control = ipywidgets.Password(value=_written(start))
    return control, _reads_text(control, declared)


def _long_text(declared: Input, start: JsonValue) -> tuple[Control, Read]:
    import ipywidgets

    text = start if isinstance(start, str) else "" if start is None else json.dumps(start, indent=2, ensure_ascii=False)
    control = ipywidgets.Textarea(value=text, placeholder=_placeholder(declared), rows=min(text.count("\n") + 3, 12))
    return control, _reads_text(control, declared)


def _number(declared: Input, start: JsonValue) -> tuple[Control, Read]:
    """A number field holds 0 where nothing was given; only with a default can it be told what is meant."""
    import ipywidgets

    if isinstance(start, bool) or not isinstance(start, int | float):
        return _text(declared, start)
    kind = ipywidgets.IntText if declared.type == "INT" else ipywidgets.FloatText
    control = kind(value=start)
    return control, lambda: control.value


def _boolean(declared: Input, start: JsonValue) -> tuple[Control, Read]:
    import ipywidgets

    if start is None:
        control = ipywidgets.Dropdown(options=[("", None), ("true", True), ("false", False)], value=None)
    else:
        control = ipywidgets.Checkbox(value=bool(declared.read(start)), indent=False)
    return control, lambda: control.value


def _choice(declared: Input, start: JsonValue) -> tuple[Control, Read]:
    import ipywidgets

    assert isinstance(declared, ChoiceInput)
    if declared.expression is not None:  # its values are known only at the start of an execution
        return _text(declared, start)
    if declared.allow_custom_value:
        control = ipywidgets.Combobox(value=_written(start), options=declared.choices)
        return control, _reads_text(control, declared)
    options: list[tuple[str, str | None]] = list(_labelled(declared))
    chosen = _written(start) if _written(start) in declared.choices else None
    if chosen is None:
        options.insert(0, ("", None))
    control = ipywidgets.Dropdown(options=options, value=chosen)
    return control, lambda: control.value


def _choices(declared: Input, start: JsonValue) -> tuple[Control, Read]:
    import ipywidgets

    assert isinstance(declared, MultiselectInput)
    if declared.expression is not None or declared.allow_custom_value:
        return _long_text(declared, start)
    chosen = [text for text in map(_written, start if isinstance(start, list) else []) if text in declared.choices]
    rows = min(len(declared.choices), 8)
    control = ipywidgets.SelectMultiple(options=list(_labelled(declared)), value=chosen, rows=rows)
    return control, lambda: list(control.value) or None


def _day(declared: Input, start: JsonValue) -> tuple[Control, Read]:
    import ipywidgets

    control = ipywidgets.DatePicker(value=date.fromisoformat(str(declared.read(start))) if start is not None else None)
    return control, lambda: control.value.isoformat() if control.value else None


def _instant(declared: Input, start: JsonValue) -> tuple[Control, Read]:
    import ipywidgets

    value = None if start is None else datetime.fromisoformat(str(declared.read(start))).replace(tzinfo=None)
    control = ipywidgets.NaiveDatetimePicker(value=value, tooltip="UTC")
    return control, lambda: f"{control.value.isoformat()}Z" if control.value else None


def _time(declared: Input, start: JsonValue) -> tuple[Control, Read]:
    import ipywidgets

    control = ipywidgets.TimePicker(value=time.fromisoformat(str(declared.read(start))) if start is not None else None)
    return control, lambda: control.value.isoformat() if control.value else None


def _file(declared: Input, start: JsonValue) -> tuple[Control, Read]:
    """A path on the kernel's machine, or a file brought from the browser's."""
    import ipywidgets

    endings = ",".join(getattr(declared, "allowed_file_extensions", ()))
    path = ipywidgets.Text(value=_written(start), placeholder="a path, or upload a file")
    upload = ipywidgets.FileUpload(accept=endings, multiple=False, description="Upload")

    def read() -> object:
        if upload.value:
            sent: Mapping[str, Any] = upload.value[0]
            folder = tempfile.mkdtemp(prefix="nbflow-upload-")
            weakref.finalize(upload, shutil.rmtree, folder, ignore_errors=True)
            target = Path(folder) / Path(str(sent["name"])).name
            target.write_bytes(bytes(sent["content"]))
            return str(target)
        return path.value.strip() or None

    return ipywidgets.HBox([path, upload]), read


def _reads_text(control: Control, declared: Input) -> Read:
    """Empty text is given only where the user has cleared a default; otherwise nothing is given."""
    cleared = declared.type == "STRING" and bool(control.value)
    return lambda: control.value if control.value or cleared else None


def _labelled(declared: ChoiceInput) -> list[tuple[str, str]]:
    return [
        (value.label, value.value) if isinstance(value, ValueOption) else (value, value) for value in declared.values
    ]


def _placeholder(declared: Input) -> str:
    default = declared.default()
    return str(default) if holds_expression(default) else _HINTS.get(declared.type, "")


def _written(value: JsonValue) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return str(value)
    return str(getattr(value, "source_text", json.dumps(value, ensure_ascii=False)))


_MAKERS: dict[str, Callable[[Input, JsonValue], tuple[Control, Read]]] = {
    "SECRET": _password,
    "INT": _number,
    "FLOAT": _number,
    "BOOLEAN": _boolean,
    "BOOL": _boolean,
    "SELECT": _choice,
    "ENUM": _choice,
    "MULTISELECT": _choices,
    "DATE": _day,
    "DATETIME": _instant,
    "TIME": _time,
    "JSON": _long_text,
    "YAML": _long_text,
    "ARRAY": _long_text,
    "FILE": _file,
}
