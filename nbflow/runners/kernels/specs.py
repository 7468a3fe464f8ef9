"""What the kernel of a key is started with: its command line, its environment, how it is interrupted."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from nbflow.nearest import nearest
from nbflow.plugins.kernels import KernelKey, KernelStartError

_NO_HISTORY = "--HistoryManager.enabled=False"
"""IPython's history of all sessions is a database in the user's home: nothing for notebooks that run alone."""


_LAUNCH = (
    "import sys; sys.path[:] = [path for path in sys.path if path]; sys.modules['debugpy'] = None; "
    "from ipykernel import kernelapp; kernelapp.launch_new_instance()"
)
"""As `ipykernel_launcher`, but without the debugger, which takes a quarter of the time that a kernel starts in.

`FORGET_LAUNCH` is for when it has started: `import debugpy` works again.
"""
FORGET_LAUNCH = "__import__('sys').modules.pop('debugpy', None)"


@dataclass(frozen=True, slots=True)
class KernelSpec:
    """How to start a kernel; `{connection_file}` stands in the arguments for the path of that file."""

    arguments: tuple[str, ...]
    language: str
    env: Mapping[str, str] = field(default_factory=dict)
    interrupts_by_message: bool = False

    def command(self, connection_file: Path) -> list[str]:
        """The command line, for a connection file."""
        own = [argument.replace("{connection_file}", str(connection_file)) for argument in self.arguments]
        for number, pair in enumerate(pairwise(own)):
            if pair == ("-m", "ipykernel_launcher"):
                return [*own[:number], "-c", _LAUNCH, *own[number + 2 :], _NO_HISTORY]
        return own


def find_spec(key: KernelKey) -> KernelSpec:
    """The spec of a key's kernel. Blocks. Raises: KernelStartError when none is installed under that name."""
    if key.python:
        return KernelSpec((key.python, "-m", "ipykernel_launcher", "-f", "{connection_file}"), "python")
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    manager = KernelSpecManager()
    try:
        spec = manager.get_kernel_spec(key.name)
    except NoSuchKernel as cause:
        known = sorted(manager.find_kernel_specs())
        near = nearest(key.name, known)
        hint = f"did you mean `{near[0]}`?" if near else f"installed are: {', '.join(known) or 'none'}"
        raise KernelStartError(f"no kernel is installed as `{key.name}`", hint=hint) from cause
    arguments = list(spec.argv)
    if arguments and arguments[0] == "python":  # as a wheel of ipykernel has it: that of this environment
        arguments[0] = sys.executable
    return KernelSpec(
        tuple(argument.replace("{resource_dir}", spec.resource_dir) for argument in arguments),
        str(spec.language).lower(),
        dict(spec.env),
        spec.interrupt_mode == "message",
    )
