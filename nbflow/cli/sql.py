"""`nbflow sql`: queries the history; `nbflow executions diff`: compares two executions."""

from __future__ import annotations

import csv
import sys
from typing import Annotated

import typer

from nbflow.cli.options import HomeOption, Output, OutputOption, UsageError
from nbflow.cli.showing import say, show_data, show_table


def sql(
    query: Annotated[
        str | None, typer.Argument(metavar="[QUERY]", help="SELECT … FROM executions; without it: the tables.")
    ] = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Query the history with SQL: executions, task_runs, logs, metrics, triggers, flows. Nothing is changed."""
    from nbflow.engine import Engine
    from nbflow.store.history_sql.rows import Rows, text_table
    from nbflow.store.history_sql.tables import HISTORY

    if query is None:
        heads = ("table", "column", "type", "what it tells")
        columns = [(one.name, each.name, each.type, each.about) for one in HISTORY.values() for each in one.columns]
        found = Rows(heads, columns)
    elif not query.strip():
        raise UsageError("there is no query", hint="nbflow sql 'SELECT * FROM executions'")
    else:
        with Engine(home, takes_over=False) as engine:
            found = engine.store.sql.rows(query)
    if output is Output.CSV:  # also the heads of a result without rows
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(found.columns)
        writer.writerows(found)
    elif output.is_data:
        show_data(output, found.to_dicts())
    elif query is None:
        show_table(found.columns, [[str(cell) for cell in row] for row in found])
    else:
        say(text_table(found.columns, found, most=1000))


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="Id of an execution, `last` or `previous`.")] = "previous",
    after: Annotated[str, typer.Argument(metavar="B", help="The one to compare with it.")] = "last",
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Show what differs between two executions: state, inputs, outputs and the files in them."""
    from nbflow.engine import Engine
    from nbflow.engine.comparing import compare, pick
    from nbflow.widgets.diff import diff_text

    with Engine(home, takes_over=False) as engine:
        found = compare(*pick(engine, before, after), engine.store.files)
    if output.is_data:
        show_data(output, found.to_dict())
    else:
        say(diff_text(found))
