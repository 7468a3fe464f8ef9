"""Notebooks with packages of their own: another kernel, of ipykernel 6 or 7, where neither nbflow nor kestra is."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbflow.model.state import State
from tests.tasks.notebooks.test_running import outputs_of, run

CELLS = """# %% tags=["parameters"]
n: int = 1

# %%
import importlib.metadata, nbflow
print(importlib.metadata.version("ipykernel").split(".")[0], hasattr(nbflow, "Engine"))
nbflow.outputs(n=n)
from kestra import Kestra
Kestra.outputs({"m": n + 1})

# %%
nbflow.stop("enough")

# %%
1 / 0
"""


@pytest.mark.slow
@pytest.mark.parametrize("version", [6, 7])
def test_a_notebook_runs_with_either_ipykernel_and_without_nbflow(
    version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NBFLOW_CACHE", str(tmp_path / "cache"))
    for _ in range(2):  # the second run finds the environment
        result = run(CELLS, dependencies=[f"ipykernel=={version}.*"], parameters={"n": 41})
        assert result.state is State.SUCCESS, result.messages
        assert f"{version} False" in result.messages
        assert result.outputs["vars"] == {"n": 41, "m": 42}
        assert result.outputs["stopped"] == "stopped: enough"
        assert not [output for output in outputs_of(result) if output["output_type"] == "error"]
    died = run("import os; os.kill(os.getpid(), 9)", dependencies=[f"ipykernel=={version}.*"])
    assert "the kernel died by SIGKILL" in died.messages[-1]
    late = run("import time; time.sleep(60)", dependencies=[f"ipykernel=={version}.*"], cellTimeout="PT0.5S")
    assert "cell 1 was interrupted" in late.messages[-1]
