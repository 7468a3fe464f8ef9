"""The engine: runs executions as coroutine trees whose history is their memo.

Faces (`magics`, `server`, `cli`) and `widgets` import `Engine` and `Execution` from here, and nothing deeper.
"""

from nbflow.engine.engine import Engine
from nbflow.engine.handle import Execution, TaskRuns
from nbflow.engine.live import StoredFile
from nbflow.engine.shortcuts import sql

__all__ = ["Engine", "Execution", "StoredFile", "TaskRuns", "sql"]
