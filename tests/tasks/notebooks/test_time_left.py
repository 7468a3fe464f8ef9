"""How long a notebook will take is told from what it took before."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbflow.engine import Engine

FLOW = """
id: slow
namespace: tests
tasks:
  - id: report
    type: nbflow.notebook.Run
    path: report.py
    inputFiles:
      report.py: |
        # %%
        import time
        time.sleep(5.2)
        # %%
        print('quick')
"""


@pytest.mark.slow
def test_the_second_run_tells_how_long_is_left(tmp_path: Path) -> None:
    with Engine(tmp_path / "home") as engine:
        engine.deploy(FLOW)
        told = []
        for _ in range(2):
            execution = engine.run("tests", "slow", wait=True, timeout=60)
            assert execution.state == "SUCCESS", [entry.message for entry in execution.logs()]
            told.append([entry.message for entry in execution.logs() if entry.message.startswith("cell 1/2")])
    assert told == [["cell 1/2"], ["cell 1/2, about 5 s left"]]
