"""The tasks that run cells: each in a process of its own, values handed on through the internal storage."""

from __future__ import annotations

import json
from textwrap import indent

import pandas as pd
import pytest

from nbflow.engine import Engine
from tests.tasks.conftest import RunTasks, messages

READ = """
- id: read
  type: nbflow.cells.Python
  in: {value: "{{ outputs.make.vars.value }}"}
  preamble: |
    class Point:
        x = 1
  script: |
    shown = f"{type(value).__module__}.{type(value).__name__} {value!r}"
  out: [shown]
"""


def make(code: str, preamble: str = "") -> str:
    """A task that hands on a `value`, and one that reads it."""
    before = f"  preamble: |\n{indent(preamble, '    ')}\n" if preamble else ""
    return (
        f"- id: make\n  type: nbflow.cells.Python\n{before}  script: |\n{indent(code, '    ')}\n  out: [value]\n{READ}"
    )


@pytest.mark.parametrize(
    ("code", "shown", "how"),
    [
        ("value = 3", "builtins.int 3", "int, 1 B of JSON"),
        ("value = {'a': [1, None, 'ä']}", "builtins.dict {'a': [1, None, 'ä']}", "dict, 22 B of JSON"),
        ("value = (1, 2)", "builtins.tuple (1, 2)", " B of pickle"),
        ("value = {1: 'a'}", "builtins.dict {1: 'a'}", " B of pickle"),
        ("value = float('nan')", "builtins.float nan", " B of pickle"),
        ("value = 'kestra:///x'", "builtins.str 'kestra:///x'", "str, 13 B of JSON"),
        (
            "import numpy as np\nvalue = np.arange(2)",
            "numpy.ndarray array([0, 1])",
            "numpy.ndarray 2, 144 B of NumPy's format",
        ),
        ("import datetime\nvalue = datetime.date(2024, 1, 2)", "datetime.date datetime.date(2024, 1, 2)", "pickle"),
        ("class Point:\n    def __repr__(self): return 'P'\nvalue = Point()", "__main__.Point", "of pickle"),
    ],
)
def test_a_value_comes_back_as_it_was(run_tasks: RunTasks, code: str, shown: str, how: str) -> None:
    execution = run_tasks(make(code))
    assert execution.state == "SUCCESS", messages(execution)
    assert execution["read"].outputs["vars"]["shown"].startswith(shown)
    assert how in execution["make"].outputs["values"]["value"]


def test_a_frame_is_parquet_that_anything_reads(run_tasks: RunTasks, engine: Engine) -> None:
    code = "import pandas as pd\nvalue = pd.DataFrame({'x': pd.array([1, 2], 'int8'), 'c': pd.Categorical(['a', 'b'])})"
    execution = run_tasks(make(code))
    assert execution.state == "SUCCESS", messages(execution)
    uri = execution["make"].outputs["vars"]["value"]
    assert uri.endswith("/value.parquet")
    assert engine.read_file(uri)[:4] == b"PAR1"
    assert "pandas.DataFrame 2 × 2, " in execution["make"].outputs["values"]["value"]


def test_a_frame_that_parquet_would_change_is_pickled_and_says_so(run_tasks: RunTasks) -> None:
    execution = run_tasks(make("import pandas as pd\nvalue = pd.DataFrame({1: [object.__class__], 'b': ['x']})"))
    assert execution.state == "SUCCESS", messages(execution)
    assert "of pickle" in execution["make"].outputs["values"]["value"]
    assert any("value was pickled: " in line for line in messages(execution))


def test_large_plain_values_are_files_of_json(run_tasks: RunTasks, engine: Engine) -> None:
    execution = run_tasks(make("value = list(range(10000))"))
    uri = execution["make"].outputs["vars"]["value"]
    assert json.loads(engine.read_file(uri)) == list(range(10000))
    assert execution.state == "SUCCESS"


def test_the_traceback_is_that_of_the_cell(run_tasks: RunTasks) -> None:
    execution = run_tasks("- id: bad\n  type: nbflow.cells.Python\n  script: |\n    x = 1\n    y = x / 0\n")
    assert execution.state == "FAILED"
    text = "\n".join(messages(execution))
    assert 'File "<cell bad>", line 2, in <module>' in text
    assert "y = x / 0" in text
    assert "child.py" not in text


def test_a_name_that_was_not_set_is_told(run_tasks: RunTasks) -> None:
    execution = run_tasks("- {id: a, type: nbflow.cells.Python, script: x = 1, out: [y, 'z?']}")
    assert execution.state == "FAILED"
    assert any("cell a: the cell has not set `y`, which it is to hand on" in line for line in messages(execution))


def test_sys_exit_ends_a_cell_in_peace(run_tasks: RunTasks) -> None:
    execution = run_tasks(
        "- id: a\n  type: nbflow.cells.Python\n  script: |\n    x = 1\n    import sys; sys.exit()\n  out: [x, y]"
    )
    assert execution.state == "SUCCESS", messages(execution)
    assert execution["a"].outputs["vars"] == {"x": 1}


def test_sql_reads_frames_and_rows_and_hands_tables_on(run_tasks: RunTasks, engine: Engine, tmp_path: object) -> None:
    execution = run_tasks(
        """
        - id: make
          type: nbflow.cells.Python
          script: |
            import pandas as pd
            df = pd.DataFrame({"x": [1, 2, 3]})
            rows = [{"x": 1, "name": "one"}, {"x": 3, "name": "three"}]
          out: [df, rows]
        - id: ask
          type: nbflow.cells.Sql
          in: {df: "{{ outputs.make.vars.df }}", rows: "{{ outputs.make.vars.rows }}", least: 2}
          script: |
            CREATE TABLE more AS SELECT x, x * 2 AS twice FROM df;
            SELECT name, twice FROM more JOIN rows USING (x) WHERE x >= $least
          out: [ask, more]
        """
    )
    assert execution.state == "SUCCESS", messages(execution)
    assert execution["ask"].outputs["values"]["more"].startswith("table 3 × 2, ")
    from io import BytesIO

    found = pd.read_parquet(BytesIO(engine.read_file(execution["ask"].outputs["vars"]["ask"])))
    assert found.to_dict("records") == [{"name": "three", "twice": 6}]


def test_a_shell_cell_takes_a_frame_as_its_file(run_tasks: RunTasks) -> None:
    execution = run_tasks(
        make("import pandas as pd\nvalue = pd.DataFrame({'x': [1]})")
        + '- id: tell\n  type: nbflow.cells.Shell\n  in: {value: "{{ outputs.make.vars.value }}"}\n'
        '  script: head -c 4 "$value"; echo oops >&2\n'
    )
    assert execution["tell"].state == "SUCCESS"
    assert "PAR1" in messages(execution)


def test_values_that_look_like_templates_stay_as_they_are(run_tasks: RunTasks) -> None:
    execution = run_tasks(
        """
        - id: make
          type: nbflow.cells.Python
          script: |
            value = "{" + "{ secret }" + "}"
          out: [value]
        - id: tell
          type: nbflow.cells.Shell
          in: {value: "{{ outputs.make.vars.value }}"}
          script: echo "$value"
        - id: read
          type: nbflow.cells.Python
          in: {value: "{{ outputs.make.vars.value }}"}
          script: print(value)
        """
    )
    assert execution.state == "SUCCESS", messages(execution)
    assert messages(execution).count("{{ secret }}") == 2
