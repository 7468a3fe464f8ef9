"""Schedules fire while a Jupyter server runs, though nobody asks it anything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from jupyter_server.serverapp import ServerApp

from nbflow.engine import Engine
from nbflow.server.handler import SETTING
from nbflow.testing import eventually

EVERY_SECOND = """
id: tick
namespace: tests.server
tasks: [{id: hello, type: io.kestra.plugin.core.log.Log, message: "{{ trigger.date }}"}]
triggers: [{id: each, type: io.kestra.plugin.core.trigger.Schedule, cron: "* * * * * *", withSeconds: true}]
"""
_SECONDS = 90.0


async def _until(is_so: Callable[[], object]) -> None:
    await asyncio.to_thread(eventually, is_so, _SECONDS)


async def test_what_a_notebook_schedules_fires_in_the_server(jp_serverapp: ServerApp, tmp_path: Path) -> None:
    with Engine(tmp_path / "home", takes_over=False) as notebook:
        notebook.deploy(EVERY_SECOND)
        await _until(lambda: notebook.scheduler_status().is_running)
        await _until(lambda: len(notebook.executions("tests.server", "tick", state="SUCCESS")) >= 3)
        assert not notebook.scheduler_status().is_here
        [newest, *_] = await asyncio.to_thread(notebook.executions, "tests.server", "tick")
        assert newest.trigger is not None
    await asyncio.to_thread(jp_serverapp.web_app.settings[SETTING].close)


async def test_the_scheduler_can_be_switched_off(
    monkeypatch: pytest.MonkeyPatch, jp_configurable_serverapp: Callable[..., ServerApp], tmp_path: Path
) -> None:
    monkeypatch.setenv("NBFLOW_SCHEDULER", "off")
    with Engine(tmp_path / "home", takes_over=False) as notebook:
        notebook.deploy(EVERY_SECOND)
        server = jp_configurable_serverapp().web_app.settings[SETTING]
        engine = await asyncio.to_thread(server.get)
        assert not engine.scheduler_status().is_running
        assert notebook.executions() == []
        await asyncio.to_thread(server.close)


async def test_a_home_that_nobody_uses_stays_unmade(jp_serverapp: ServerApp, tmp_path: Path) -> None:
    assert jp_serverapp.web_app.settings[SETTING].opened is None
    assert not (tmp_path / "home" / "nbflow.db").exists()
    jp_serverapp.web_app.settings[SETTING].close()
