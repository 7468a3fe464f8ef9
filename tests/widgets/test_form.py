"""The form for a flow's inputs: a fitting control for each type, and what is wrong beside the field."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import ipywidgets
import pytest

from nbflow.engine import Engine
from nbflow.errors import InputError, Problem
from nbflow.model.flow import Flow
from nbflow.widgets.flow import RunForm
from nbflow.widgets.form import InputForm, inputs_html, inputs_text

ALL_TYPES = """id: all
namespace: tests
inputs:
  - {id: text, type: STRING, defaults: "plain"}
  - {id: must, type: STRING, description: "Who <b>greets</b>"}
  - {id: whole, type: INT, defaults: 3}
  - {id: blank_whole, type: INT, required: false}
  - {id: number, type: FLOAT, defaults: 1.5}
  - {id: switch, type: BOOL, defaults: true}
  - {id: maybe, type: BOOLEAN, required: false}
  - {id: taxi, type: SELECT, values: [yellow, {label: Green one, value: green}], defaults: green}
  - {id: any, type: SELECT, values: [a, b], allowCustomValue: true, required: false}
  - {id: some, type: MULTISELECT, values: [x, y, z], defaults: [x, z]}
  - {id: day, type: DATE, defaults: 2024-05-01}
  - {id: moment, type: DATETIME, defaults: "2024-05-01T08:30:00Z"}
  - {id: hour, type: TIME, defaults: "08:30:00"}
  - {id: length, type: DURATION, defaults: PT5M}
  - {id: body, type: JSON, defaults: '{"a": 1}'}
  - {id: list, type: ARRAY, itemType: INT, defaults: [1, 2]}
  - {id: file, type: FILE, required: false}
  - {id: secret, type: SECRET, required: false}
  - {id: computed, type: STRING, defaults: "{{ inputs.text }}!"}
  - {id: deep.inner, type: STRING, defaults: "in"}
tasks:
  - {id: say, type: log, message: "{{ inputs.text }}"}
"""


@pytest.fixture
def flow(engine: Engine) -> Flow:
    return engine.deploy(ALL_TYPES)


def test_each_type_has_a_fitting_control(flow: Flow) -> None:
    controls = InputForm(flow.inputs).controls
    kinds = {name: type(control).__name__ for name, control in controls.items()}
    assert kinds == {
        "text": "Text",
        "must": "Text",
        "whole": "IntText",
        "blank_whole": "Text",
        "number": "FloatText",
        "switch": "Checkbox",
        "maybe": "Dropdown",
        "taxi": "Dropdown",
        "any": "Combobox",
        "some": "SelectMultiple",
        "day": "DatePicker",
        "moment": "NaiveDatetimePicker",
        "hour": "TimePicker",
        "length": "Text",
        "body": "Textarea",
        "list": "Textarea",
        "file": "HBox",
        "secret": "Password",
        "computed": "Text",
        "deep.inner": "Text",
    }
    assert controls["taxi"].options == (("yellow", "yellow"), ("Green one", "green"))
    assert controls["computed"].placeholder == "{{ inputs.text }}!"


def test_an_untouched_form_gives_the_defaults_and_nothing_else(flow: Flow) -> None:
    values = InputForm(flow.inputs).values()
    assert values == {
        "text": "plain",
        "whole": 3,
        "number": 1.5,
        "switch": True,
        "taxi": "green",
        "some": ["x", "z"],
        "day": "2024-05-01",
        "moment": "2024-05-01T08:30:00Z",
        "hour": "08:30:00",
        "length": "PT5M",
        "body": '{"a": 1}',
        "list": "[\n  1,\n  2\n]",
        "deep.inner": "in",
    }


def test_what_the_form_gives_is_what_the_engine_reads(engine: Engine, flow: Flow) -> None:
    form = InputForm(flow.inputs)
    form.controls["must"].value = "me"
    form.controls["day"].value = date(2025, 1, 2)
    form.controls["moment"].value = datetime(2025, 1, 2, 3, 4)
    form.controls["some"].value = ["y"]
    form.controls["text"].value = ""
    read = engine.run("tests", "all", form.values(), wait=True).inputs
    assert read["day"] == "2025-01-02"
    assert read["moment"] == "2025-01-02T03:04:00Z"
    assert read["some"] == ["y"]
    assert read["text"] == ""
    assert read["computed"] == "!"
    assert read["list"] == [1, 2]
    assert read["deep"] == {"inner": "in"}


def test_an_uploaded_file_is_handed_on_as_a_path(flow: Flow) -> None:
    form = InputForm(flow.inputs)
    upload = form.controls["file"].children[1]
    upload.value = (
        {
            "name": "../../evil.csv",
            "type": "text/csv",
            "size": 3,
            "content": b"a,b",
            "last_modified": datetime(2024, 1, 1),
        },
    )
    path = Path(str(form.values()["file"]))
    assert path.name == "evil.csv"
    assert path.read_bytes() == b"a,b"


def test_problems_stand_beside_their_fields_and_what_was_typed_stays(engine: Engine, flow: Flow) -> None:
    form = InputForm(flow.inputs)
    form.controls["blank_whole"].value = "many"
    with pytest.raises(InputError) as refused:
        engine.run("tests", "all", form.values())
    form.show_problems([*refused.value.problems, Problem("<b>odd</b>", path="")])
    rows = {
        name: row.children[1].children[1].value for name, row in zip(form.controls, form.widget.children, strict=False)
    }
    assert "must be a whole number" in rows["blank_whole"]
    assert "is required" in rows["must"]
    assert rows["text"] == ""
    assert "&lt;b&gt;odd" in form.rest.value
    assert form.controls["blank_whole"].value == "many"
    form.show_problems([])
    assert not any(row.children[1].children[1].value for row in form.widget.children[:-1])


def test_descriptions_are_escaped_and_required_inputs_marked(flow: Flow) -> None:
    heads = [row.children[0].value for row in InputForm(flow.inputs).widget.children[:-1]]
    assert "Who &lt;b&gt;greets&lt;/b&gt;" in heads[1]
    assert 'title="required"' in heads[1]
    assert 'title="required"' not in heads[0]
    assert "&lt;b&gt;greets" in inputs_html(flow.inputs)
    assert "  blank_whole (INT, optional)" in inputs_text(flow.inputs)


def test_the_button_starts_an_execution_with_what_the_form_holds(engine: Engine, flow: Flow) -> None:
    started = []
    form = RunForm(engine, flow, started.append)
    assert isinstance(form.button, ipywidgets.Button)
    form.run()
    assert started == []
    form.form.controls["must"].value = "me"
    form.run()
    assert started[0].wait(20).refresh().inputs["must"] == "me"
