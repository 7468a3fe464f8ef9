"""Two executions side by side: what is different in their inputs, states, times and outputs. Faces show it.

`compare(before, after)` gives an `ExecutionDiff`; nothing here writes, and nothing here shows.
"""

from nbflow.engine.comparing.executions import compare, pick
from nbflow.engine.comparing.result import CellDiff, Change, ExecutionDiff, FrameDiff, TaskDiff

__all__ = ["CellDiff", "Change", "ExecutionDiff", "FrameDiff", "TaskDiff", "compare", "pick"]
