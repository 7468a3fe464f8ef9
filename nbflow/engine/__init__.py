"""The engine: runs executions as coroutine trees whose history is their memo.

Faces (`magics`, `server`, `cli`) and `widgets` import `Engine` and `Execution` from here, and nothing deeper.
"""

from nbflow.engine.engine import Engine
from nbflow.engine.handle import Execution, TaskRuns

__all__ = ["Engine", "Execution", "TaskRuns"]
