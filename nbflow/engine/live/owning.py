"""Which pickles may be read: those that a task of nbflow's own wrote itself, to hand on the value of a name.

Reading a pickle runs whatever is in it. A file that somebody uploaded, downloaded or named so is left closed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nbflow.engine.live.views import Reader
from nbflow.errors import NotFoundError
from nbflow.model.execution import TaskRun
from nbflow.model.flow import Flow
from nbflow.plugins import FileStorage

_CELLS = "nbflow.tasks.cells."


def reader_of(files: FileStorage, flow_of: Callable[[], Flow]) -> Reader:
    """What views of an execution read with; its flow is asked for only when there is a pickle."""

    def owns(run: TaskRun, name: str) -> bool:
        try:
            flow = flow_of()
        except NotFoundError:  # it was never deployed
            return False
        task = next((task for task in flow.all_tasks() if task.id == run.task_id), None)
        if task is None or not type(task).__module__.startswith(_CELLS):
            return False
        handed_on, told = run.outputs.get("vars"), run.outputs.get("values")
        if not isinstance(handed_on, Mapping) or not isinstance(told, Mapping) or name not in told:
            return False  # the task tells of what it handed on itself; other `vars` are what its code said
        uri = str(handed_on[name])
        folder = f"kestra:///{flow.namespace.replace('.', '/')}/{flow.id}/executions/"
        return uri.startswith(folder) and "/tasks/" in uri and uri.endswith(f"/{name}.pickle")

    return Reader(files, owns)
