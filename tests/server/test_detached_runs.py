"""A run that is handed to `nbflow server` goes on there, whatever becomes of the notebook."""

from __future__ import annotations

from pathlib import Path

from nbflow.engine import Engine
from nbflow.testing import eventually
from tests.server.live import SECONDS, live_server


def test_a_run_handed_to_the_server_outlives_the_engine_that_began_it(tmp_path: Path) -> None:
    text = """
id: slow
namespace: tests.server
tasks:
  - {id: wait, type: io.kestra.plugin.core.flow.Sleep, duration: PT1S}
  - {id: say, type: io.kestra.plugin.core.debug.Return, format: done}
"""
    with live_server(tmp_path):
        with Engine(tmp_path, takes_over=False) as notebook:
            notebook.deploy(text)
            eventually(lambda: notebook.scheduler_status().is_running, SECONDS)
            handed = notebook.run_detached("tests.server", "slow")
        with Engine(tmp_path, takes_over=False) as later:
            ended = later.wait(handed.id, timeout=SECONDS)
            assert (ended.state, ended.task_runs["say"].outputs["value"]) == ("SUCCESS", "done")
            assert later.store.executions.owner(handed.id) != later._owned.engine_id
