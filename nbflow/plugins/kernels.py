"""What tasks know of the kernels that are kept warm: which one they want, and what they may do with it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from nbflow.errors import NbflowError

KernelMessage = Mapping[str, Any]
"""A message of Jupyter's protocol: `header`, `parent_header`, `content`, `metadata`. Any: JSON, dates."""

OnMessage = Callable[[KernelMessage], object]
"""Called on the loop with each message a kernel sends while it works on a request."""


class KernelStartError(NbflowError):
    """A kernel cannot be started."""

    code = "kernel-start"


class KernelDiedError(NbflowError):
    """The process of a kernel has ended while it was needed. `status` is negative for the signal that ended it."""

    code = "kernel-died"

    def __init__(self, message: str, *, status: int = 0, said: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.said = said

    def __reduce__(self) -> tuple[Any, ...]:
        return _died, (self.message, self.status, self.said, self.hint)


def _died(message: str, status: int, said: str, hint: str) -> KernelDiedError:
    return KernelDiedError(message, status=status, said=said, hint=hint)


@dataclass(frozen=True, slots=True)
class KernelKey:
    """Which kernel is wanted; kernels of one key are alike until somebody has used them.

    `name` is that of a kernel spec. With a `python`, it is that interpreter with its own ipykernel instead. `env` is
    the whole environment its process starts with. A kernel with a `directory` starts there and is not kept in advance.
    """

    name: str = "python3"
    python: str = ""
    env: tuple[tuple[str, str], ...] = ()
    preimports: tuple[str, ...] = ()
    directory: str = ""


class WarmKernel(Protocol):
    """A kernel that answers, lent to one user; its process ends afterwards."""

    language: str
    """Language of its kernel spec, in small letters."""
    info: Mapping[str, Any]
    """What it says of itself: the content of its `kernel_info_reply`."""
    connection_file: Path
    client: Any
    """A `jupyter_client.AsyncKernelClient` with open channels, for libraries that need one. Any: an untyped library."""
    was_warm: bool
    """Whether it had been started in advance."""

    @property
    def pid(self) -> int: ...

    @property
    def is_alive(self) -> bool: ...

    async def execute(
        self,
        code: str,
        on_message: OnMessage | None = None,
        *,
        silent: bool = False,
        store_history: bool = True,
        stop_on_error: bool = True,
    ) -> Mapping[str, Any]:
        """Run code to its end; the content of the reply. All messages have been handed on by then.

        Raises: KernelDiedError as soon as its process has ended.
        """
        ...

    async def interrupt(self) -> None:
        """Interrupt what it does."""
        ...

    def memory(self) -> int | None:
        """Bytes of memory that it holds now; None where that cannot be told."""
        ...

    def park(self, limit: timedelta) -> None:
        """Let it live on after it was handed back, for at most so long."""
        ...


class Kernels(Protocol):
    """Kernels of one event loop, some of them started in advance."""

    def lend(self, key: KernelKey) -> AbstractAsyncContextManager[WarmKernel]:
        """A kernel for one user; it is ended when he leaves. Raises: KernelStartError."""
        ...

    def attach(self, connection_file: Path, pid: int) -> AbstractAsyncContextManager[WarmKernel]:
        """A kernel that somebody parked, in this process or in another one; it is ended afterwards, unless it is
        parked again. Raises: KernelStartError when it does not answer."""
        ...

    def language_of(self, name: str) -> str | None:
        """The language of a kernel spec; None when there is no such spec."""
        ...

    async def warm_up(self, key: KernelKey, count: int = 1) -> None:
        """Start kernels in advance, and return once so many of this key are ready."""
        ...


def kernels() -> Kernels:
    """The kernels of the running event loop."""
    pool: Kernels = importlib.import_module("nbflow.runners.kernels").pool_of_loop()  # above this layer: found by name
    return pool
