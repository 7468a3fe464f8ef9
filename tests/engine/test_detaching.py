"""A run that is handed out is taken by an engine that serves, and left alone by those that come and go."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbflow.engine import Engine
from nbflow.errors import ConflictError
from nbflow.store import DETACHED
from nbflow.testing import eventually

FLOW = """
id: hello
namespace: tests
inputs: [{id: name, type: STRING, defaults: Ada}]
tasks:
  - {id: greet, type: io.kestra.plugin.core.debug.Return, format: "Hello {{ inputs.name }}"}
"""


def test_a_server_of_the_home_takes_what_is_handed_out(tmp_path: Path) -> None:
    with Engine(tmp_path, scheduler=True) as server, Engine(tmp_path) as notebook:
        notebook.deploy(FLOW)
        eventually(lambda: notebook.scheduler_status().is_running)
        handed = notebook.run_detached("tests", "hello", {"name": "Bob"}, labels={"by": "hand"})
        assert notebook.wait(handed.id, timeout=30).state == "SUCCESS"
        assert not notebook.runs(handed.id)
        assert server.store.executions.owner(handed.id) in (None, server.store.leases.get("scheduler").holder)
        ended = notebook.execution(handed.id)
        assert ended.task_runs["greet"].outputs["value"] == "Hello Bob"
        assert ended.labels["by"] == "hand"


def test_nothing_is_handed_out_where_nobody_serves(tmp_path: Path) -> None:
    with Engine(tmp_path) as notebook:
        notebook.deploy(FLOW)
        with pytest.raises(ConflictError, match="no server runs on") as refused:
            notebook.run_detached("tests", "hello")
        assert "nbflow server" in refused.value.hint
        assert notebook.executions() == []


def test_a_notebook_leaves_what_is_handed_out_alone(tmp_path: Path) -> None:
    with Engine(tmp_path, scheduler=True) as server:
        server.deploy(FLOW)
        eventually(lambda: server.scheduler_status().is_running)
        server._owned.serves = False  # as if it had been stopped in between
        handed = server.run_detached("tests", "hello")
        now = server._clock.now()
        assert server.store.executions.claim_orphans("notebook", now, serves=False) == []
        assert server.store.executions.owner(handed.id) == DETACHED
        assert server.kill(handed.id).wait(timeout=30).state == "KILLED"
