"""Runs executions in this process and shows them: the engine of the command line is theirs."""

from __future__ import annotations

from collections.abc import Mapping

from nbflow.cli.live import run_live
from nbflow.cli.places import Again, Start, Watch
from nbflow.engine import Engine


class LocalRuns:
    """What lets executions go on in a home; they run here unless somebody else runs them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def start(self, namespace: str, flow_id: str, start: Start, watch: Watch) -> int:
        inputs = {**start.inputs, **start.files}
        if not watch.wait:
            handed = self._engine.run_detached(
                namespace, flow_id, inputs, labels=dict(start.labels), revision=start.revision
            )
            return watch.show_started(handed.to_dict())
        return run_live(
            self._engine,
            lambda: self._engine.run(namespace, flow_id, inputs, labels=dict(start.labels), revision=start.revision),
            watch,
        )

    def resume(self, execution_id: str, inputs: Mapping[str, str], watch: Watch) -> int:
        return run_live(self._engine, lambda: self._engine.resume(execution_id, dict(inputs)), watch)

    def restart(self, execution_id: str, revision: int | None, watch: Watch) -> int:
        return run_live(self._engine, lambda: self._engine.restart(execution_id, revision=revision), watch)

    def replay(self, execution_id: str, again: Again, watch: Watch) -> int:
        start = again.task_run
        if again.task is not None:
            start = self._engine.execution(execution_id).task_runs[again.task].id
        inputs = dict(again.inputs) or None
        return run_live(
            self._engine,
            lambda: self._engine.replay(execution_id, start, revision=again.revision, inputs=inputs),
            watch,
        )

    def force_run(self, execution_id: str, watch: Watch) -> int:
        return run_live(self._engine, lambda: self._engine.force_run(execution_id), watch)

    def set_state(self, execution_id: str, task_run: str, state: str, watch: Watch) -> int:
        return run_live(self._engine, lambda: self._engine.change_state(execution_id, task_run, state), watch)

    def watch(self, execution_id: str, watch: Watch) -> int:
        from nbflow.cli.local.following import follow

        return follow(self._engine, execution_id, watch)
