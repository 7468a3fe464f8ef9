"""Fixtures of the engine's tests: an engine in a home of its own, and running a flow from text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent, indent

import pytest

from nbflow.engine import Engine, Execution

RunTasks = Callable[..., Execution]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path / "home") as engine:
        yield engine


@pytest.fixture
def run_tasks(engine: Engine) -> RunTasks:
    """Deploy a flow made of these tasks (YAML), run it to its end and return the execution."""

    def run(tasks: str, *, more: str = "", wait: bool = True, **inputs: object) -> Execution:
        text = "id: flow\nnamespace: tests\n" + dedent(more) + "\ntasks:\n" + indent(dedent(tasks), "  ")
        engine.deploy(text)
        return engine.run("tests", "flow", inputs, wait=wait, timeout=30)

    return run


def states(execution: Execution) -> dict[str, str]:
    """Task id (with its value, in loops) → state, in the order of creation."""
    return {
        run.task_id if run.value is None else f"{run.task_id}[{run.value}]": str(run.state)
        for run in execution.task_runs
    }


def messages(execution: Execution) -> list[str]:
    """What the log says, without DEBUG lines."""
    return [entry.message for entry in execution.logs("INFO")]
