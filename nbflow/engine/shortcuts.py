"""What is asked of the engine of this process without naming it: `nbflow.sql("SELECT …")`."""

from __future__ import annotations

from collections.abc import Mapping

from nbflow.engine.engine import Engine


def sql(query: str, tables: Mapping[str, object] | None = None) -> object:
    """What a query of the history answers, as a data frame, without pandas as rows. Raises: SqlError.

    Example: `nbflow.sql("SELECT state, count(*) FROM executions GROUP BY ALL")`
    """
    return Engine.default().sql(query, tables)
