"""What Tab offers on the lines and in the cells of the magics."""

from __future__ import annotations

from collections.abc import Callable

from tests.magics.conftest import Run
from tests.magics.test_flow_magics import HELLO

Complete = Callable[[str], list[str]]


def test_sub_commands(complete: Complete) -> None:
    assert complete("%flow exe|") == ["executions "]
    assert "run " in complete("%flow |")
    assert complete("ex = %flow ru|") == ["run "]


def test_flows_inputs_and_options(run: Run, complete: Complete) -> None:
    run(f"%%flow\n{HELLO}")
    assert complete("%flow run tes|") == ["tests.hello"]
    assert complete("%flow run tests.hello na|") == ["name="]
    assert complete("%flow run tests.hello --wa|") == ["--wait"]
    assert complete("%flow show |") == ["tests.hello"]
    assert complete("%flow list |") == ["tests"]


def test_execution_ids(run: Run, complete: Complete) -> None:
    ran = run(f"%%flow --wait\n{HELLO}").value
    assert complete("%flow logs |") == [ran.id]
    assert complete(f"%flow logs {ran.id} --le|") == ["--level"]


def test_a_flow_that_is_gone_offers_nothing(complete: Complete) -> None:
    assert complete("%flow run tests.gone na|") == []


def test_the_first_line_of_a_cell_offers_the_inputs_below(complete: Complete) -> None:
    assert complete(f"%%flow na|\n{HELLO}") == ["name="]
    assert complete(f"%%flow --ru|\n{HELLO}") == ["--run"]


def test_keys_of_a_flow(complete: Complete) -> None:
    found = complete("%%flow\nid: a\nvar|")
    assert found == ["variables: "]
    assert "id: " not in complete("%%flow\nid: a\n|")
    assert "namespace: " in complete("%%flow\nid: a\n|")


def test_types_of_tasks_triggers_and_inputs(complete: Complete) -> None:
    assert complete("%%flow\nid: a\ntasks:\n  - id: x\n    type: io.kestra.plugin.core.log.L|")[0].endswith("log.Log")
    assert "io.kestra.plugin.core.debug.Return" in complete("%%flow\ntasks:\n- id: x\n  type: Return|")
    assert complete("%%flow\ninputs:\n  - id: x\n    type: STR|") == ["STRING"]


def test_properties_of_a_type(complete: Complete) -> None:
    head = "%%flow\nid: a\ntasks:\n  - id: x\n    type: io.kestra.plugin.core.log.Log\n"
    assert complete(head + "    mess|") == ["message: "]
    assert complete(head + "    level: WA|") == ["WARN"]
    assert complete(head + "    allowFailure: t|") == ["true"]


def test_properties_inside_of_properties(complete: Complete) -> None:
    head = "%%flow\nid: a\ntasks:\n  - id: x\n    type: log\n    retry:\n"
    assert complete(head + "      maxAtt|")[0] == "maxAttempts: "


def test_tasks_inside_of_tasks(complete: Complete) -> None:
    head = "%%flow\ntasks:\n  - id: x\n    type: io.kestra.plugin.core.flow.Sequential\n    tasks:\n      - id: y\n"
    assert complete(head + "        type: io.kestra.plugin.core.debug.Ret|") == ["io.kestra.plugin.core.debug.Return"]
    assert complete(head + "        type: return\n        form|") == ["format: "]


def test_python_cells_are_left_alone(complete: Complete) -> None:
    assert "print" in complete("pri|")


EXPRESSIONS = """%%flow
inputs:
  - id: name
    type: STRING
variables:
  greeting: Hello
tasks:
  - id: first
    type: io.kestra.plugin.core.debug.Return
    format: x
  - id: second
    type: log
    message: "{{ @"
"""


def test_names_inside_of_expressions(complete: Complete) -> None:
    def at(typed: str) -> list[str]:
        return complete(EXPRESSIONS.replace("@", f"{typed}|"))

    assert at("inp") == ["inputs."]
    assert at("inputs.") == ["inputs.name"]
    assert at("vars.g") == ["vars.greeting"]
    assert at("outputs.") == ["outputs.first", "outputs.second"]
    assert at("outputs.first.") == ["outputs.first.value"]
    assert at("inputs.name ~ exec") == ["execution."]


def test_a_types_own_properties_come_first(complete: Complete) -> None:
    found = complete("%%flow\ntasks:\n  - id: x\n    type: io.kestra.plugin.core.log.Log\n    |")
    assert set(found[:2]) == {"message: ", "level: "}
