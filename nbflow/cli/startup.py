"""Starting and ending quickly: what is imported lives as long as the process, so nobody need look for garbage in it.

Collections while a hundred thousand objects are imported cost 50 ms, and the one at the end another 60.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import sys
from typing import NoReturn


def hurry() -> None:
    """Begin: no collections until `settle`."""
    gc.disable()


def settle() -> None:
    """The imports are done and something long begins: collect from now on, in what is new."""
    gc.freeze()
    gc.enable()


def leave(status: int) -> NoReturn:
    """End the process at once, its engines closed and its output written.

    Python would take everything apart first, which takes 60 ms, and libraries that do not like it complain.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # the reader has gone, or somebody closed it
            stream.flush()
    os._exit(status)
