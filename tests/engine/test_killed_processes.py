"""Engines in processes of their own that are killed again and again: the last one finds everything it needs."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from nbflow.engine import Engine, Execution
from nbflow.model.execution import TaskRun
from nbflow.testing import eventually

_ENGINE = """
import sys
from nbflow.engine import Engine
with Engine(sys.argv[1]) as engine:
    [execution] = engine.executions("tests", "flow") or [engine.run("tests", "flow")]
    print(engine.wait(execution.id).state, flush=True)
"""

_FLOW = """
id: flow
namespace: tests
tasks:
  - id: together
    type: parallel
    tasks:
      - id: each
        type: foreach
        values: [1, 2, 3, 4]
        concurrencyLimit: 2
        tasks:
          - {id: a, type: io.kestra.plugin.scripts.shell.Commands, commands: &work [MARK]}
          - {id: b, type: return, format: "{{ outputs.a[taskrun.value].exitCode }} of {{ taskrun.value }}"}
          - {id: c, type: io.kestra.plugin.scripts.shell.Commands, commands: *work}
      - id: line
        type: sequential
        tasks:
          - {id: d, type: io.kestra.plugin.scripts.shell.Commands, commands: *work}
          - id: e
            type: io.kestra.plugin.scripts.shell.Commands
            commands: [MARK, "exit {{ taskrun.attemptsCount < 1 ? 1 : 0 }}"]
            retry: {maxAttempts: 9, interval: PT0.05S}
          - {id: f, type: io.kestra.plugin.scripts.shell.Commands, commands: *work}
  - {id: last, type: return, format: "{{ outputs.b }}"}
finally:
  - {id: clean, type: io.kestra.plugin.scripts.shell.Commands, commands: *work}
"""


class Reader:
    """Reads the history all the time, as a face would, and holds it to what it has said before."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._ended: dict[str, TaskRun] = {}
        self.looks = 0
        self.failure: BaseException | None = None

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        try:
            while not self._stop.wait(0.01):
                for execution in self._engine.executions("tests"):
                    self._check(execution)
        except BaseException as failure:
            self.failure = failure

    def _check(self, execution: Execution) -> None:
        runs = {run.id: run for run in execution.task_runs}
        assert all(run.parent_task_run_id is None or run.parent_task_run_id in runs for run in runs.values())
        assert all(runs[id] == run for id, run in self._ended.items()), "what had ended has changed"
        self._ended |= {id: run for id, run in runs.items() if run.state.is_terminal}
        execution.logs()
        self.looks += 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_a_flow_ends_however_often_its_engine_is_killed(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    home, marks = tmp_path / "home", tmp_path / "marks"
    marks.touch()

    def begun() -> Counter[str]:
        return Counter(marks.read_text().split())

    def ended() -> dict[str, TaskRun]:
        return {run.id: run for one in watching.executions("tests") for run in one.task_runs if run.state.is_terminal}

    with Engine(home, takes_over=False) as watching, Reader(watching) as reader:
        watching.deploy(_FLOW.replace("MARK", f'"echo {{{{ taskrun.id }}}} >> {marks}; sleep 0.05"'))
        counts: list[tuple[dict[str, TaskRun], Counter[str]]] = []
        for _ in range(5):
            engine = subprocess.Popen([sys.executable, "-c", _ENGINE, str(home)], stdout=subprocess.PIPE)
            assert engine.stdout is not None
            goal = len(ended()) + chance.randint(0, 4)
            eventually(lambda goal=goal, engine=engine: len(ended()) >= goal or engine.poll() is not None, within=30)
            engine.kill()
            engine.wait()
            engine.stdout.close()
            counts.append((ended(), begun()))
        last = subprocess.run([sys.executable, "-c", _ENGINE, str(home)], stdout=subprocess.PIPE, text=True, timeout=60)
        assert last.stdout.strip() == "SUCCESS"
        [execution] = watching.executions("tests")
        assert execution.state == "SUCCESS"
        runs = {run.id: run for run in execution.task_runs}
        assert len(runs) == 3 + 4 * 3 + 3 + 1 + 1
        assert all(run.state == "SUCCESS" for run in runs.values())
        for had_ended, had_begun in counts:
            for id, run in had_ended.items():
                assert runs[id] == run
                assert begun()[id] == had_begun[id], f"{run.task_id} was run again"
        # One that had just begun may have left no trace in the history: it is attempted at least once.
        assert all(begun()[id] <= len(run.attempts) + len(counts) for id, run in runs.items())
        assert execution.task_runs["last"].outputs["value"]
    assert reader.failure is None
    assert reader.looks > 10
