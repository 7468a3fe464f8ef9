"""Pythons started in advance, with modules imported, each of which becomes one command. `Process` takes them here.

They are started and not forked: what libraries have set up when they were imported, threads and locks and seeds,
does not survive a fork everywhere, and a process of its own is ended and watched like any other.
"""

from nbflow.runners.pythons.pool import PythonPool, pool_of_loop
from nbflow.runners.pythons.process import WaitingPython

__all__ = ["PythonPool", "WaitingPython", "pool_of_loop"]
