"""`%%task` in a real kernel: cell ids, output under the cell, the notebook's own name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.widgets.kernels import Kernel, Reply, open_kernel


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "Daily report.ipynb"))
    with open_kernel(tmp_path / "home", tmp_path) as kernel:
        yield kernel


def run(kernel: Kernel, code: str, cell_id: str) -> Reply:
    """Run a cell as JupyterLab does: with its id."""
    session: Any = kernel.client.session
    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
    message = session.msg("execute_request", {**content, "user_expressions": {}}, metadata={"cellId": cell_id})
    kernel.client.shell_channel.send(message)
    return kernel.finish(message["header"]["msg_id"])


def test_tasks_of_a_notebook(kernel: Kernel, tmp_path: Path) -> None:
    reply = run(kernel, "%%task extract\nimport asyncio\nawait asyncio.sleep(0)\nrows = [1, 2]\nrows", "c1")
    assert "[1, 2]" in reply.text
    assert "task extract of notebooks.Daily-report:  gives rows" in reply.text
    reply = run(kernel, "%%task load\nprint(sum(rows))", "c3")
    assert "needs extract (rows)" in reply.text
    # a cell put in between: the saved notebook says where it stands
    ids = ["c1", "c2", "c3"]
    cells = [{"cell_type": "code", "id": name, "source": ""} for name in ids]
    (tmp_path / "Daily report.ipynb").write_text(json.dumps({"cells": cells}))
    run(kernel, "%%task double\nrows = [2 * row for row in rows]", "c2")
    reply = run(
        kernel, "ex = %flow run --wait\nprint(ex.state, ex.flow_id, [e.message for e in ex.logs(task_id='load')])", "c4"
    )
    assert "SUCCESS Daily-report ['6']" in reply.text
    reply = run(kernel, "%%task doubled\nrows = [2 * row for row in rows]", "c2")
    assert "it was called double before" in reply.text
    reply = run(kernel, "%flow tasks", "c5")
    assert [line.split()[0] for line in reply.text.splitlines()[1:4]] == ["extract", "doubled", "load"]


def test_an_error_is_the_cell_s_own(kernel: Kernel) -> None:
    reply = run(kernel, "%%task broken\nx = 1\ny = x / 0", "c1")
    assert reply.status == "error"
    assert "ZeroDivisionError" in json.dumps(reply.of("error"))
    assert "line 3" in json.dumps(reply.of("error"))
    reply = run(kernel, "%%task broken\nx = (", "c1")
    assert reply.status == "error"
    assert "SyntaxError" in json.dumps(reply.of("error"))


def test_sql_shows_a_table(kernel: Kernel) -> None:
    run(kernel, "import pandas as pd\ndf = pd.DataFrame({'x': [1, 2]})", "c0")
    reply = run(kernel, "%%task twice --type sql\nSELECT x * 2 AS y FROM df", "c1")
    assert any("<table" in shown["data"].get("text/html", "") for shown in reply.of("display_data"))
    assert "`df` comes from In[2], which is no task" in reply.text
