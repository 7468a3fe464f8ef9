"""The tasks that run cells: each in a process of its own, values handed on through the internal storage."""

from __future__ import annotations

import json
from pathlib import Path
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


def test_figures_and_tables_are_kept_as_files_in_their_order(run_tasks: RunTasks, engine: Engine) -> None:
    execution = run_tasks(
        """
        - id: draw
          type: nbflow.cells.Python
          preamble: import matplotlib.pyplot as plt
          script: |
            import pandas as pd
            plt.plot([1, 2])
            plt.show()
            plt.plot([3, 4])
            assert len(plt.gca().lines) == 1, "the first figure was closed"
            display(pd.DataFrame({"x": [1]}))
            print("plain")
            figure = plt.gcf()
            figure
        """
    )
    assert execution.state == "SUCCESS", messages(execution)
    shown = execution["draw"].outputs["display"]
    assert [one["mime"] for one in shown] == ["image/png", "text/html", "image/png"]
    assert [engine.read_file(one["uri"])[:4] for one in shown] == [b"\x89PNG", b"<div", b"\x89PNG"]
    assert execution["draw"].outputs.get("outputFiles") is None
    html = execution.outputs.draw._repr_html_()
    assert html.count('<img src="data:image/png;base64,iVBOR') == 2
    assert html.count("<iframe sandbox") == 1
    assert "<table" not in html
    said = messages(execution)
    assert [line for line in said if line.startswith("<Figure size 640x480")] == [
        "<Figure size 640x480 with 1 Axes>"
    ] * 2
    assert "plain" in said
    assert not [line for line in said if "non-interactive" in line]


def test_what_ipython_and_plotly_show_is_kept_too(run_tasks: RunTasks, engine: Engine) -> None:
    execution = run_tasks(
        """
        - id: draw
          type: nbflow.cells.Python
          script: |
            from IPython.display import Markdown, display
            import plotly.graph_objects as go
            display(Markdown("**bold**"))
            go.Figure(go.Scatter(y=[1, 2])).show()
        """
    )
    assert execution.state == "SUCCESS", messages(execution)
    shown = execution["draw"].outputs["display"]
    assert [one["mime"] for one in shown] == ["text/markdown", "application/vnd.plotly.v1+json"]
    assert engine.read_file(shown[0]["uri"]) == b"**bold**"
    assert json.loads(engine.read_file(shown[1]["uri"]))["data"][0]["y"] == [1, 2]


def test_displays_beyond_the_limit_are_left_out_and_counted(run_tasks: RunTasks) -> None:
    execution = run_tasks(
        """
        - id: draw
          type: nbflow.cells.Python
          script: |
            class Page:
                def _repr_html_(self): return "<p>"
            display(*[Page() for _ in range(60)])
        """
    )
    assert len(execution["draw"].outputs["display"]) == 50
    assert any(line.startswith("10 more displays are not kept: ") for line in messages(execution))


@pytest.mark.parametrize(
    ("frame", "is_parquet"),
    [
        (
            "{'x': [1, 2], 'y': [0.5, float('nan')], 'z': ['a', 'ä'], 'when': pd.to_datetime(['2024-01-02', None])}",
            True,
        ),
        ("{'x': pd.array([1, 2], 'int8'), 'b': [True, False], 'y': pd.array([1, 2], 'float32')}", True),
        ("{'c': pd.Categorical(['a', 'b'])}", False),
        ("{'x': [1, 2]}, index=['a', 'b']", False),
        ("{'x': [1], 'X': [2]}", False),
        ("{0: [1]}", False),
        ("{'x': [datetime.date(2024, 1, 2)]}", False),
        ("{'x': [{'a': 1}, 'text']}", False),
    ],
)
def test_without_pyarrow_duckdb_writes_what_it_can_give_back(
    run_tasks: RunTasks, tmp_path: Path, frame: str, is_parquet: bool
) -> None:
    (tmp_path / "pyarrow.py").write_text("raise ImportError")
    execution = run_tasks(
        f"""
        - id: make
          type: nbflow.cells.Python
          directory: {tmp_path}
          preamble: import pandas as pd, datetime
          script: |
            value = pd.DataFrame({frame})
            shown = repr(value), repr(list(value.dtypes))
          out: [value, shown]
        - id: read
          type: nbflow.cells.Python
          directory: {tmp_path}
          in: {{value: "{{{{ outputs.make.vars.value }}}}"}}
          script: |
            shown = repr(value), repr(list(value.dtypes))
          out: [shown]
        """
    )
    assert execution.state == "SUCCESS", messages(execution)
    assert execution["make"].outputs["vars"]["value"].endswith(".parquet" if is_parquet else ".pickle")
    assert execution.outputs.make.shown == execution.outputs.read.shown


def test_polars_frames_stay_polars_frames(run_tasks: RunTasks) -> None:
    pytest.importorskip("polars")
    execution = run_tasks(make("import polars as pl\nvalue = pl.DataFrame({'x': [1, None], 'y': [['a'], []]})"))
    assert execution.state == "SUCCESS", messages(execution)
    assert execution["make"].outputs["vars"]["value"].endswith("/value.polars.parquet")
    assert execution["read"].outputs["vars"]["shown"].startswith("polars.dataframe.frame.DataFrame shape: (2, 2)")


def test_what_a_cell_of_one_run_leaves_the_next_does_not_find(run_tasks: RunTasks) -> None:
    """Cells run in processes that have waited: each only once."""
    tasks = """
        - id: a
          type: nbflow.cells.Python
          script: |
            import json, os
            left = hasattr(json, "left"), os.environ.get("LEFT"), os.getpid()
            json.left = os.environ["LEFT"] = "yes"
          out: [left]
        - id: b
          type: nbflow.cells.Python
          script: |
            import json, os
            left = hasattr(json, "left"), os.environ.get("LEFT"), os.getpid()
          out: [left]
    """
    found = []
    for _ in range(3):
        execution = run_tasks(tasks)
        found += [execution.outputs.a.left, execution.outputs.b.left]
    assert {one[:2] for one in found} == {(False, None)}
    assert len({one[2] for one in found}) == 6
