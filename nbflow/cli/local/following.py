"""Shows an execution that another process runs, from its first log line to its end."""

from __future__ import annotations

from nbflow.cli.live import show_end, show_event
from nbflow.cli.places import Watch
from nbflow.cli.showing import say
from nbflow.cli.startup import settle
from nbflow.engine import Engine


def follow(engine: Engine, execution_id: str, watch: Watch) -> int:
    """Show an execution until it has ended; returns the exit status, 1 when it failed."""
    execution = engine.execution(execution_id)
    settle()
    if not watch.is_data:
        say(f"{execution.namespace}.{execution.flow_id}  execution {execution.id}")
    for _, event in engine.events(execution.id):
        if not watch.is_data:
            show_event(event)
    execution.refresh()
    if watch.is_data:
        watch.show(execution.to_dict())
    else:
        show_end(execution.record, execution.task_runs)
    return 1 if execution.state.is_failure else 0
