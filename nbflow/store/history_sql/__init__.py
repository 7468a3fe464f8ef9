"""SQL over the history: its tables with the columns that people ask for, queried with DuckDB and only ever read.

The store and the engine import this package; `tables` tells faces what there is. All else is loaded by a query.
"""

from nbflow.store.history_sql.query import HistorySql, SqlError
from nbflow.store.history_sql.rows import Rows

__all__ = ["HistorySql", "Rows", "SqlError"]
