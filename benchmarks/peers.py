"""Chains of small durable steps in other tools, as far as they are installed here: DBOS and Prefect."""

from __future__ import annotations

import importlib.util
import os
import tempfile
import time
from pathlib import Path


def show(steps: int) -> None:
    """Print what a step costs in each of them."""
    for name, measure in (("dbos", _dbos), ("prefect", _prefect)):
        if importlib.util.find_spec(name) is None:
            print(f"{name:34} is not installed here")
            continue
        with tempfile.TemporaryDirectory() as folder:
            print(f"{f'{name}: chain of steps':34} {measure(steps, Path(folder)) / steps * 1000:7.3f} ms a task")


def _dbos(steps: int, folder: Path) -> float:
    from dbos import DBOS

    DBOS(config={"name": "chain", "system_database_url": f"sqlite:///{folder}/dbos.sqlite"})

    @DBOS.step()
    def step(value: str) -> str:
        return value

    @DBOS.workflow()
    def chain() -> str:
        value = "start"
        for _ in range(steps):
            value = step(value)
        return value

    DBOS.launch()
    try:
        chain()  # the first one warms up
        began = time.perf_counter()
        chain()
        return time.perf_counter() - began
    finally:
        DBOS.destroy()


def _prefect(steps: int, folder: Path) -> float:
    os.environ["PREFECT_HOME"] = str(folder)
    os.environ["PREFECT_LOGGING_LEVEL"] = "ERROR"
    from prefect import flow, task

    @task
    def step(value: str) -> str:
        return value

    @flow
    def chain(length: int) -> str:
        value = "start"
        for _ in range(length):
            value = step(value)
        return value

    chain(5)  # the first one starts the server
    began = time.perf_counter()
    chain(steps)
    return time.perf_counter() - began
