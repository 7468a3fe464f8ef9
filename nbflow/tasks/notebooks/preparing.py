"""Prepares a lent kernel for one notebook: its folder, its environment, and `import nbflow` where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nbflow.errors import TaskFailedError
from nbflow.plugins.kernels import WarmKernel

_CODE = """
def _nbflow_prepare(directory, env, source):
    import importlib.util, os, sys, types
    os.environ.update(env)
    os.chdir(directory)
    if importlib.util.find_spec("nbflow") is None:
        module = types.ModuleType("nbflow")
        exec(compile(source, "<nbflow>", "exec"), module.__dict__)
        sys.modules["nbflow"] = module
_nbflow_prepare({directory!r}, {env!r}, {source!r})
del _nbflow_prepare
"""


async def prepare(kernel: WarmKernel, directory: Path, env: Mapping[str, str]) -> None:
    """Take a Python kernel to a folder, with variables of the environment."""
    source = Path(__file__).with_name("inside.py").read_text(encoding="utf-8")
    code = _CODE.format(directory=str(directory), env=dict(env), source=source)
    reply = await kernel.execute(code, silent=True, store_history=False)
    if reply.get("status") != "ok":
        raise TaskFailedError(f"the kernel cannot be prepared: {reply.get('evalue') or reply.get('status')}")
