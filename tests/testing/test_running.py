"""`run_task` runs one task alone, in whatever form it is given."""

from __future__ import annotations

import pytest

from nbflow.errors import FlowValidationError
from nbflow.tasks.debug import Return
from nbflow.testing import run_task


@pytest.mark.parametrize(
    "task",
    [
        Return(id="r", format="hi"),
        "{type: return, format: hi}",
        "type: return\nformat: hi\n",
        "\n    id: own\n    type: return\n    format: |-\n      hi\n    ",
        {"type": "io.kestra.plugin.core.debug.Return", "format": "hi"},
    ],
    ids=["instance", "flow style", "block style", "indented", "mapping"],
)
def test_a_task_is_an_instance_its_yaml_or_a_mapping(task: Return | str) -> None:
    result = run_task(task)
    assert (result.state, result.outputs) == ("SUCCESS", {"value": "hi"})


def test_inputs_keep_their_types_and_files_and_secrets_are_there() -> None:
    result = run_task(
        "{type: return, format: \"{{ inputs.n + 1 }} {{ inputs.list[0] }} {{ read(vars.files['a.txt']) }} "
        "{{ read('b.txt') }} {{ secret('TOKEN') | length }} {{ vars.deep.name }} {{ inputs.is_on }}\"}",
        inputs={"n": 1, "list": ["x"], "is_on": True},
        variables={"deep": {"name": "Ada"}},
        files={"a.txt": "from a file"},
        namespace_files={"b.txt": b"of the namespace"},
        secrets={"TOKEN": "12345"},
    )
    assert result.outputs == {"value": "2 x from a file of the namespace 5 Ada true"}


def test_what_it_reports_stores_and_runs_below_is_there() -> None:
    task = """
        type: parallel
        tasks:
          - {id: file, type: write_file, content: hello}
          - id: script
            type: shell
            commands:
              - echo '::{"metrics":[{"name":"rows","type":"counter","value":3}]}::'
              - echo '::{"metrics":[{"name":"rows","type":"counter","value":4}]}::'
    """
    result = run_task(task)
    assert [run.task_id for run in result.task_runs] == ["task", "file", "script"]
    assert list(result.files.values()) == [b"hello"]
    assert result.metric("rows") == 7
    with pytest.raises(KeyError):
        result.metric("columns")


def test_a_task_that_is_not_valid_is_refused_as_a_flow_would_be() -> None:
    with pytest.raises(FlowValidationError) as refused:
        run_task("{type: retrun, format: hi}")
    assert refused.value.problems[0].hint == "did you mean `return`?"
