"""`%%task` in kernels of ipykernel 6 and 7: the author sees the result at once, and the flow runs the same cells."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from nbflow.plugins.kernels import KernelKey
from nbflow.runners.kernels import KernelPool
from nbflow.tasks.scripts.languages import base_environment

ROOT = Path(__file__).parents[3]
CELLS = (
    "%load_ext nbflow\n%flow new cells --namespace tests",
    "import ipykernel\nRATE = 2\nipykernel.version_info[0]",
    "%%task make\nnumbers = [1, 2, 3]\nsum(numbers)",
    "%%task double\ndoubled = [number * RATE for number in numbers]\nprint(doubled)",
    "%flow run --wait",
    "import nbflow\nex = nbflow.Engine.default().executions(namespace='tests')[0]\n"
    "print(ex.state, [run.task_id for run in ex.task_runs], ex.outputs.double.doubled)",
)


@pytest.fixture(params=[6, 7])
def python(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[int, str]:
    """An interpreter with this ipykernel, and all else from the environment that the tests run in."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        pytest.skip("making an environment needs uv")
    home = tmp_path / "env"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(home)], check=True)
    program = str(home / "bin" / "python")
    install = [uv, "pip", "install", "--quiet", "--no-deps", "--python", program, f"ipykernel=={request.param}.*"]
    subprocess.run(install, check=True)
    (library,) = (home / "lib").glob("python*/site-packages")
    (library / "rest.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n")
    return request.param, program


@pytest.mark.slow
def test_task_cells_run_in_either_ipykernel(python: tuple[int, str], tmp_path: Path) -> None:
    version, program = python
    own = {"NBFLOW_HOME": str(tmp_path / "home"), "IPYTHONDIR": str(tmp_path / "ipython")}
    env = tuple(sorted(base_environment(own, program, stand_in=False).items()))

    async def work() -> list[str]:
        pool = KernelPool(is_eager=False)
        said: list[str] = []
        try:
            async with pool.lend(KernelKey(python=program, env=env, directory=str(tmp_path))) as kernel:
                for code in CELLS:
                    texts: list[Any] = []
                    async with asyncio.timeout(60):
                        reply = await kernel.execute(code, texts.append)
                    said.append("".join(_text(message) for message in texts))
                    assert reply["status"] == "ok", (code, said[-1])
        finally:
            await pool.close()
        return said

    said = asyncio.run(work())
    assert said[1] == str(version)
    assert "6" in said[2]
    assert "[2, 4, 6]" in said[3]
    assert "SUCCESS" in said[4]
    assert said[5].startswith("SUCCESS ")
    assert "'make'" in said[5]
    assert said[5].rstrip().endswith("[2, 4, 6]")


def _text(message: Any) -> str:
    content = message["content"]
    kind = message["header"]["msg_type"]
    if kind == "stream":
        return str(content["text"])
    if kind in ("execute_result", "display_data", "update_display_data"):
        return str(content["data"].get("text/plain", ""))
    return "\n".join(content["traceback"]) if kind == "error" else ""
