"""How long it takes to infer the flow of a notebook of fifty cells, and to run cells as tasks, each a process.

python -m benchmarks.cells
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median

from nbflow.engine import Engine
from nbflow.model.execution import TaskRun
from nbflow.tasks.cells.cell import Cell
from nbflow.tasks.cells.document import flow_document
from nbflow.tasks.cells.names import names_of
from nbflow.tasks.cells.plan import plan
from nbflow.tasks.cells.sql_names import sql_names_of

_ROUNDS = 9
_CELL = '''
frame_{n} = frame_{before}.copy()
frame_{n}["total"] = frame_{n}["price"] * RATE + {n}
frame_{n} = frame_{n}[frame_{n}.total > LIMIT].reset_index(drop=True)

def summary_{n}(rows, digits=2):
    """Means of what is large."""
    found = [round(row, digits) for row in rows if row > LIMIT]
    return {{"mean": statistics.mean(found) if found else None, "count": len(found)}}

try:
    result_{n} = summary_{n}(frame_{n}.total)
except (ValueError, KeyError) as failed:
    result_{n} = {{"error": str(failed)}}
for column, kind in frame_{n}.dtypes.items():
    if kind == object:
        frame_{n}[column] = frame_{n}[column].str.strip()
print(f"{{result_{n}}} {{len(frame_{n})}} rows")
result_{n}
'''


def notebook(cells: int = 50) -> list[Cell]:
    """A notebook as people write them: imports and constants, then tasks of twenty lines, a tenth of them SQL."""
    first = Cell("In[1]", "import statistics\nimport pandas as pd\nRATE = 1.2\nLIMIT = 3\n", is_task=False)
    made = [first, Cell("task_0", "frame_0 = pd.DataFrame({'price': [1, 2, 3]})\n")]
    for n in range(1, cells - 1):
        if n % 10 == 0:
            sql = f"SELECT *, sum(price) OVER () AS whole FROM frame_{n - 1} WHERE price > $LIMIT"
            made.append(Cell(f"task_{n}", sql, "sql", gives=(f"frame_{n}",)))
        else:
            made.append(Cell(f"task_{n}", _CELL.format(n=n, before=n - 1)))
    return made


def infer_milliseconds(cells: int = 50, *, is_warm: bool = False) -> float:
    """Time to infer the flow and make its YAML values; unless `is_warm`, no cell has been seen before."""
    found = notebook(cells)
    sql_names_of("SELECT 1")  # loading DuckDB is no part of it
    times = []
    for _ in range(_ROUNDS):
        if not is_warm:
            names_of.cache_clear()
            sql_names_of.cache_clear()
        begin = time.perf_counter()
        planned = plan(found)
        flow_document(planned, "etl", "demo", directory=".")
        times.append((time.perf_counter() - begin) * 1000)
        assert not planned.problems, planned.problems[:3]
    return min(times)  # what it costs; the median tells how busy the machine is


_RUN = """
id: cells
namespace: bench
tasks:
  - id: make
    type: nbflow.cells.Python
    preamble: import pandas as pd
    script: |
      df = pd.DataFrame({"x": range(1000), "name": [str(n) for n in range(1000)]})
    out: [df]
  - id: change
    type: nbflow.cells.Python
    preamble: import pandas as pd
    in: {df: "{{ outputs.make.vars.df }}"}
    script: |
      df["y"] = df.x * 2
    out: [df]
  - id: tell
    type: nbflow.cells.Python
    preamble: import pandas as pd
    in: {df: "{{ outputs.change.vars.df }}"}
    script: |
      total = int(df.y.sum())
    out: [total]
"""


def run_milliseconds(rounds: int = 5, pause: float = 5.0) -> tuple[list[float], list[float]]:
    """What each of three tasks with pandas in a row costs: the first time, and the medians of later ones.

    `pause` seconds pass between two runs, as they do where somebody looks at the first before he starts the next.
    """
    found = []
    with tempfile.TemporaryDirectory() as home, Engine(Path(home)) as engine:
        engine.deploy(_RUN)
        for number in range(rounds + 1):
            if number:
                time.sleep(pause)
            execution = engine.run("bench", "cells", wait=True, timeout=60)
            assert execution.state == "SUCCESS", [entry.message for entry in execution.logs()]
            found.append([_milliseconds(execution[name]) for name in ("make", "change", "tell")])
    return found[0], [median(column) for column in zip(*found[1:], strict=True)]


def _milliseconds(run: TaskRun) -> float:
    assert run.start is not None
    assert run.end is not None
    return (run.end - run.start).total_seconds() * 1000


def main() -> None:
    print(f"50 cells, none seen before: {infer_milliseconds():.1f} ms (bar: 50)")
    print(f"50 cells, one of them new:  {infer_milliseconds(is_warm=True):.1f} ms")
    print(f"500 cells:                  {infer_milliseconds(500):.1f} ms")
    first, later = run_milliseconds()
    print(f"three tasks with pandas in a row, the first time: {_row(first)}")
    print(f"                                  later:          {_row(later)} (bar: 100)")


def _row(times: list[float]) -> str:
    return ", ".join(f"{one:.0f}" for one in times) + " ms"


if __name__ == "__main__":
    main()
