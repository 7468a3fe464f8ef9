"""Task types that run a notebook's cells of Python and of SQL."""

from __future__ import annotations

import re
from typing import ClassVar

from pydantic import Field

from nbflow.plugins import Example, RunContext, Text, task_type
from nbflow.tasks.cells.running import CellTask

_CELLS = """
- id: extract
  type: nbflow.cells.Python
  preamble: |
    RATE = 1.2
  script: |
    prices = [round(price * RATE, 2) for price in (10, 20)]
  out: [prices]

- id: total
  type: nbflow.cells.Python
  in:
    prices: "{{ outputs.extract.vars.prices }}"
  script: |
    total = sum(prices)
    print(f"{total} in all")
  out: [total]
"""
_SQL = """
- id: numbers
  type: nbflow.cells.Sql
  script: |
    CREATE TABLE numbers AS SELECT range AS n FROM range(10);
  out: [numbers]

- id: squares
  type: nbflow.cells.Sql
  in:
    numbers: "{{ outputs.numbers.vars.numbers }}"
    least: 5
  script: |
    SELECT n, n * n AS square FROM numbers WHERE n >= $least
  out: [squares]
"""


@task_type(
    "nbflow.cells.Python",
    aliases=["python_cell"],
    examples=[Example(_CELLS, "Two cells: the second takes a value that the first has made.")],
)
class Python(CellTask):
    """Run a cell of Python in a process of its own and hand on values: plain ones, data frames, anything picklable.

    `{{ outputs.id.vars.name }}` is a plain value itself, and of anything else the URI of its file: Parquet for data
    frames, `.npy` for arrays, pickle for what needs it. Lines with `%` or `!` need IPython where the cell runs.
    """


@task_type(
    "nbflow.cells.Sql",
    aliases=["sql_cell"],
    examples=[Example(_SQL, "A table that one cell makes, asked by the next; `$least` is a plain value.")],
)
class Sql(CellTask):
    """Run a cell of SQL in DuckDB, over the data frames and tables of earlier cells.

    Frames among its values are tables, plain values are `$parameters`. Tables it creates, and the rows of its last
    query, can be handed on; they are Parquet, and data frames in a cell of Python.
    """

    written_in: ClassVar[str] = "sql"
    libraries: ClassVar[tuple[str, ...]] = ("duckdb",)

    result: Text | None = Field(
        default=None, description="What the rows of its last query are called; unless said, as the task."
    )

    def _result(self, ctx: RunContext) -> str:
        return ctx.render(self.result) if self.result else re.sub(r"\W", "_", self.id)
