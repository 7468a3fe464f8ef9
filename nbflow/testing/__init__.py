"""For tests of flows and plugins: run a task alone, run examples, move a clock by hand, wait with a bound.

Public, for plugin authors too. Nothing of nbflow imports it.
"""

from nbflow.testing.clock import FakeClock
from nbflow.testing.examples import run_example, undocumented
from nbflow.testing.running import TaskResult, run_task
from nbflow.testing.waiting import eventually

__all__ = ["FakeClock", "TaskResult", "eventually", "run_example", "run_task", "undocumented"]
